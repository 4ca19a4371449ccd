import HubWords

/// How the texts of one request go on: its rows, and which token each gets.
protocol Search {
  /// - Parameter logits: of the rows that are running, in order; of the prompt alone in the first step
  /// - Returns: the rows of the next step, each with the running row that it continues; none when all is written
  /// - Throws: ``Failure`` if no token is allowed, or a logit is not finite
  mutating func advance(_ logits: [[Float]]) throws -> [Continuation]

  /// The tokens that the last step wrote for good, with the sequence of each; none in a beam search.
  var written: [(sequence: Int, token: Int32)] { get }

  /// What was written, best first.
  var results: [GeneratedSequence] { get }
}

/// A row of the next step.
struct Continuation: Hashable, Sendable {
  /// The index of the running row that it continues.
  var row: Int
  /// The token that it gets.
  var token: Int32
}

/// What all searches share: the options, what changes scores, and what ends a text.
struct SearchSetting: Sendable {
  let options: GenerationOptions
  let processors: ScoreProcessors
  let ending: Ending
  let promptCount: Int

  /// The scores after all processors.
  func scores(_ raw: [Float], after text: WrittenText) throws -> [Float] {
    var scores = raw
    try processors.process(&scores, after: text)
    return scores
  }

  /// Every logit has to be a number.
  static func checkFinite(_ logits: [Float]) throws {
    // x - x is 0 for what is finite, and not a number for all else.
    guard logits.reduce(Float(0), { $0 + ($1 - $1) }) == 0 else {
      throw Failure(.generationNotFinite, "the model gave scores that are not finite numbers")
    }
  }

  static let nothingAllowed = Failure(
    .generationStuck, "the constraints leave no token that may come next",
    hint: "allow more tokens, or loosen the constraints")
}

/// A text that is being written, with what is reported of each token.
struct Branch: Sendable {
  var text: WrittenText
  var details: [TokenDetail] = []
  var scores: [[Float]] = []

  /// The text with one more token.
  func extended(by token: Int32, _ detail: @autoclosure () -> TokenDetail?) -> Branch {
    var copy = self
    copy.text.tokens.append(token)
    if let detail = detail() { copy.details.append(detail) }
    return copy
  }

  /// What was written, and why it ended.
  func result(_ reason: FinishReason, score: Float? = nil) -> GeneratedSequence {
    GeneratedSequence(
      tokens: Array(text.newTokens), finishReason: reason, score: score, details: details, scores: scores)
  }
}

extension TokenDetail {
  /// Of the distribution that the model gives, before all processors.
  init(_ token: Int32, _ logProbabilities: [Float], alternatives: Int) {
    let best = Probabilities.best(alternatives, of: logProbabilities)
    self.init(
      logProbability: logProbabilities[Int(token)],
      alternatives: best.map { Alternative(token: Int32($0), logProbability: logProbabilities[$0]) })
  }
}
