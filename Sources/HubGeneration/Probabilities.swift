import Foundation

/// What distributions over a vocabulary are computed with. A score of minus infinity is a token that was removed.
enum Probabilities {
  /// The score of what was removed.
  static let removed = -Float.infinity

  /// `score - log(sum(exp(scores)))`, summed in double precision in the order of the vocabulary.
  static func logSoftmax(_ scores: [Float]) -> [Float] {
    let largest = scores.max() ?? 0
    guard largest > removed else { return scores }
    var sum = 0.0
    for score in scores where score > removed { sum += Double(exp(score - largest)) }
    let shift = largest + Float(log(sum))
    return scores.map { $0 - shift }
  }

  /// `exp(score) / sum(exp(scores))`.
  static func softmax(_ scores: [Float]) -> [Float] {
    let largest = scores.max() ?? 0
    guard largest > removed else { return scores.map { _ in 0 } }
    var sum = 0.0
    let powers = scores.map { score -> Float in
      guard score > removed else { return 0 }
      let power = exp(score - largest)
      sum += Double(power)
      return power
    }
    return powers.map { Float(Double($0) / sum) }
  }

  /// `-sum(p log p)`, in nats.
  static func entropy(_ logProbabilities: [Float]) -> Float {
    var sum = 0.0
    for value in logProbabilities where value > removed { sum -= Double(value) * exp(Double(value)) }
    return Float(sum)
  }

  /// The tokens that were not removed, ordered by `isBefore`; of equals, the smaller id comes first.
  static func sorted(_ scores: [Float], by isBefore: (Int, Int) -> Bool) -> [Int] {
    scores.indices.filter { scores[$0] > removed }.sorted { isBefore($0, $1) || !isBefore($1, $0) && $0 < $1 }
  }

  /// The first token with the largest score.
  static func best(_ scores: [Float]) -> Int? {
    var best: Int?
    for (token, score) in scores.enumerated() where score > (best.map { scores[$0] } ?? removed) { best = token }
    return best
  }

  /// The most likely tokens, best first; of equals, the smaller id comes first.
  static func best(_ count: Int, of scores: [Float]) -> [Int] {
    var best = BestCandidates<Int>(count: count)
    for (token, score) in scores.enumerated() { best.insert(token, score) }
    return best.entries.map(\.element)
  }

  /// The token at which the cumulative probability passes `number`, a part of 1.
  static func draw(_ scores: [Float], _ number: Double) -> Int? {
    let probabilities = softmax(scores)
    var rest = number * probabilities.reduce(0.0) { $0 + Double($1) }
    var last: Int?
    for (token, probability) in probabilities.enumerated() where probability > 0 {
      rest -= Double(probability)
      if rest < 0 { return token }
      last = token
    }
    return last
  }
}

/// The best of many, in order; of equals, what came first.
struct BestCandidates<Element> {
  let count: Int
  private(set) var entries: [(element: Element, score: Float)] = []

  init(count: Int) { self.count = count }

  mutating func insert(_ element: @autoclosure () -> Element, _ score: Float) {
    if entries.count == count {
      guard let last = entries.last, score > last.score else { return }
      entries.removeLast()
    }
    guard count > 0, score > Probabilities.removed else { return }
    let place = entries.lastIndex { $0.score >= score }.map { $0 + 1 } ?? 0
    entries.insert((element(), score), at: place)
  }
}
