/// Removes what ends a text while it is too short.
struct MinimalLength: OptionalProcessor {
  let length: Int
  let endTokens: [Int32]

  init?(_ options: GenerationOptions, promptCount: Int) {
    length = options.minNewTokens > 0 ? promptCount + options.minNewTokens : options.minLength
    endTokens = options.endTokens
    guard length > 0, !endTokens.isEmpty else { return nil }
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    guard text.tokens.count < length else { return }
    for token in endTokens { scores[Int(token)] = Probabilities.removed }
  }
}
