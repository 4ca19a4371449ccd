public import HubWords

/// A text that was written.
public struct GeneratedSequence: Hashable, Sendable {
  /// The tokens after the prompt, with the end token if there is one.
  public let tokens: [Int32]
  /// Why it ended.
  public let finishReason: FinishReason
  /// Of a beam search: the sum of the log-probabilities divided by a power of the length.
  public let score: Float?
  /// A detail for each token, if ``GenerationOptions/logProbabilities`` asks for them.
  public let details: [TokenDetail]
  /// Scores after all processors, `[tokens][vocabulary]`, if ``GenerationOptions/keepsScores`` asks for them.
  public let scores: [[Float]]
}

/// How likely a token was.
public struct TokenDetail: Hashable, Sendable {
  /// A token that could have been written.
  public struct Alternative: Hashable, Sendable {
    /// Its id.
    public let token: Int32
    /// The natural logarithm of its probability.
    public let logProbability: Float
  }

  /// The natural logarithm of the probability that the model gives it, before all processors.
  public let logProbability: Float
  /// The most likely tokens, best first.
  public let alternatives: [Alternative]
}

/// What one step of a ``Generator`` brings.
public enum GenerationEvent: Sendable {
  /// A request has one more token in one of its sequences. Beam searches report none before they end.
  case token(request: Int, sequence: Int, token: Int32)
  /// A request is done.
  case finished(request: Int, [GeneratedSequence])
  /// A request failed; the others go on.
  case failed(request: Int, Failure)
}
