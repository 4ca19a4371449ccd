import Foundation

/// Follows the most likely texts at once, as `transformers` 4.57 does.
///
/// With `e` end tokens, each step looks at the best `max(2, 1 + e) * beams` candidates by the sum of log-probabilities.
/// The best `beams` that do not end go on. One that ends is kept if it is among the first `beams` candidates, and
/// better than the worst that was kept.
struct BeamSearch: Search {
  private struct Beam {
    var branch: Branch
    var score: Float
  }

  private struct Finished {
    var branch: Branch
    var score: Float
    var reason: FinishReason
  }

  private let setting: SearchSetting
  private var beams: [Beam]
  /// Best first, at most as many as beams.
  private var finished: [Finished] = []

  init(_ setting: SearchSetting, _ text: WrittenText) {
    self.setting = setting
    beams = [Beam(branch: Branch(text: text), score: 0)]
  }

  mutating func advance(_ logits: [[Float]]) throws -> [Continuation] {
    let options = setting.options
    let candidates = try candidates(logits)
    guard !candidates.isEmpty || !finished.isEmpty else { throw SearchSetting.nothingAllowed }
    var next: [Beam] = [], continuations: [Continuation] = []
    for (place, candidate) in candidates.enumerated() {
      let branch = beams[candidate.row].branch.extended(by: candidate.token, candidate.detail)
      if let reason = setting.ending.reason(branch.text) {
        if place < options.beams { finish(branch, candidate.score, reason) }
      } else if next.count < options.beams {
        next.append(Beam(branch: branch, score: candidate.score))
        continuations.append(Continuation(row: candidate.row, token: candidate.token))
      }
    }
    beams = next
    return isDone ? [] : continuations
  }

  private struct Candidate {
    var row: Int
    var token: Int32
    var score: Float
    var detail: TokenDetail?
  }

  /// The best continuations of all beams, best first.
  private func candidates(_ logits: [[Float]]) throws -> [Candidate] {
    let options = setting.options
    var best = BestCandidates<(row: Int, token: Int)>(count: max(2, 1 + options.endTokens.count) * options.beams)
    for (row, beam) in beams.enumerated() {
      try SearchSetting.checkFinite(logits[row])
      let scores = try setting.scores(Probabilities.logSoftmax(logits[row]), after: beam.branch.text)
      for token in scores.indices { best.insert((row, token), scores[token] + beam.score) }
    }
    return best.entries.map { entry in
      let (row, token) = entry.element
      return Candidate(
        row: row, token: Int32(token), score: entry.score,
        detail: options.logProbabilities.map {
          TokenDetail(Int32(token), Probabilities.logSoftmax(logits[row]), alternatives: $0)
        })
    }
  }

  private func normalised(_ score: Float, _ length: Int) -> Float {
    score / Float(pow(Double(length), setting.options.lengthPenalty))
  }

  private mutating func finish(_ branch: Branch, _ sum: Float, _ reason: FinishReason) {
    let score = normalised(sum, branch.text.newTokens.count)
    let place = finished.firstIndex { $0.score < score } ?? finished.count
    finished.insert(Finished(branch: branch, score: score, reason: reason), at: place)
    if finished.count > setting.options.beams { finished.removeLast() }
  }

  private var isDone: Bool {
    let options = setting.options
    guard let best = beams.first else { return true }
    guard finished.count == options.beams, let worst = finished.last else { return false }
    if options.earlyStopping == .whenFull { return true }
    let reachesLimit = options.earlyStopping == .never && options.lengthPenalty > 0
    let length = reachesLimit ? setting.ending.limit - setting.promptCount : best.branch.text.newTokens.count
    return !(normalised(best.score, length) > worst.score)
  }

  var written: [(sequence: Int, token: Int32)] { [] }

  var results: [GeneratedSequence] {
    finished.prefix(setting.options.returnedSequences).map { $0.branch.result($0.reason, score: $0.score) }
  }
}
