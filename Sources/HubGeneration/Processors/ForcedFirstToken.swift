/// Leaves one token, with the score 0, after a prompt of a single token.
struct ForcedFirstToken: OptionalProcessor {
  let token: Int32

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard let token = options.forcedFirstToken else { return nil }
    self.token = token
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    guard text.tokens.count == 1 else { return }
    scores.keepOnly([token])
  }
}

extension [Float] {
  /// Removes all tokens but these, which get the score 0.
  mutating func keepOnly(_ tokens: [Int32]) {
    for token in indices { self[token] = Probabilities.removed }
    for token in tokens { self[Int(token)] = 0 }
  }
}
