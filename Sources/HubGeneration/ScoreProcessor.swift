/// Changes the scores of the next token in view of what was written: logits, or in a beam search log-probabilities.
public protocol ScoreProcessor: Sendable {
  /// - Parameters:
  ///   - scores: one for each token of the vocabulary; minus infinity removes a token
  ///   - text: what was written so far
  /// - Throws: ``Failure`` if the text cannot go on
  func process(_ scores: inout [Float], after text: WrittenText) throws
}

/// What stands in one row: the prompt, and what was written after it.
public struct WrittenText: Hashable, Sendable {
  /// The prompt as penalties and lengths count it, then the tokens that were written.
  public internal(set) var tokens: [Int32]
  /// How many of them are the prompt.
  public let promptCount: Int
  /// What the encoder of an encoder-decoder reads.
  public let source: [Int32]

  /// A text of which nothing was written yet.
  public init(prompt: [Int32], source: [Int32] = []) {
    (self.tokens, self.promptCount, self.source) = (prompt, prompt.count, source)
  }

  /// The tokens that were written.
  public var newTokens: ArraySlice<Int32> { tokens[promptCount...] }
}

/// A processor of ours, made from the options.
protocol OptionalProcessor: ScoreProcessor {
  /// - Returns: `nil` where the options do not ask for it
  init?(_ options: GenerationOptions, promptCount: Int)
}

/// What changes scores, in the order of `transformers`.
struct ScoreProcessors: Sendable {
  private static let all: [any OptionalProcessor.Type] = [
    SequenceBias.self, SourceRepetitionPenalty.self, RepetitionPenalty.self, PresencePenalty.self,
    NoRepeatedSequences.self, NoRepeatedSourceSequences.self, ForbiddenSequences.self, MinimalLength.self,
    ForcedFirstToken.self, ForcedLastToken.self, LengthDecay.self, SuppressedTokens.self,
  ]
  private static let samplers: [any OptionalProcessor.Type] = [
    Temperature.self, TopK.self, TopP.self, MinP.self, TypicalP.self, EpsilonCutoff.self, EtaCutoff.self,
  ]

  private let processors: [any ScoreProcessor]

  /// - Parameter others: the caller's own, which come before what only sampling does
  init(_ options: GenerationOptions, promptCount: Int, others: [any ScoreProcessor] = []) {
    processors =
      Self.all.compactMap { $0.init(options, promptCount: promptCount) } + others
      + (options.samples ? Self.samplers.compactMap { $0.init(options, promptCount: promptCount) } : [])
  }

  func process(_ scores: inout [Float], after text: WrittenText) throws {
    for processor in processors { try processor.process(&scores, after: text) }
  }
}
