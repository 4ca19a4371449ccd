import HubTensor

/// One token after the other: the best one, or one that is drawn. Several texts of a prompt are drawn on their own.
struct TokenSearch: Search {
  private let setting: SearchSetting
  private let randomness: Randomness
  private var branches: [Branch]
  private var reasons: [FinishReason?]
  private var hasBegun = false
  private(set) var written: [(sequence: Int, token: Int32)] = []

  init(_ setting: SearchSetting, _ text: WrittenText, randomness: Randomness) {
    self.setting = setting
    self.randomness = randomness
    branches = Array(repeating: Branch(text: text), count: setting.options.returnedSequences)
    reasons = Array(repeating: nil, count: branches.count)
  }

  /// The sequences that still run, in the order of their rows.
  private var running: [Int] { branches.indices.filter { reasons[$0] == nil } }

  mutating func advance(_ logits: [[Float]]) throws -> [Continuation] {
    var continuations: [Continuation] = []
    written = []
    for (row, sequence) in running.enumerated() {
      // The prompt is one row, from which every sequence begins.
      let row = hasBegun ? row : 0
      let token = try append(to: sequence, logits[row])
      written.append((sequence, token))
      if reasons[sequence] == nil { continuations.append(Continuation(row: row, token: token)) }
    }
    hasBegun = true
    return continuations
  }

  private mutating func append(to sequence: Int, _ logits: [Float]) throws -> Int32 {
    try SearchSetting.checkFinite(logits)
    let options = setting.options, branch = branches[sequence]
    let scores = try setting.scores(logits, after: branch.text)
    let step = branch.text.newTokens.count
    let chosen =
      options.samples
      ? Probabilities.draw(scores, randomness.uniform(step, of: UInt64(sequence))) : Probabilities.best(scores)
    guard let chosen else { throw SearchSetting.nothingAllowed }
    let token = Int32(chosen)
    var next = branch.extended(
      by: token,
      options.logProbabilities.map {
        TokenDetail(token, Probabilities.logSoftmax(logits), alternatives: $0)
      })
    if options.keepsScores { next.scores.append(scores) }
    branches[sequence] = next
    reasons[sequence] = setting.ending.reason(next.text)
    return token
  }

  var results: [GeneratedSequence] { zip(branches, reasons).map { $0.result($1 ?? .length) } }
}
