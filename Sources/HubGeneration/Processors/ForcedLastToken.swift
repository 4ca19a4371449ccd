/// Leaves what ends a text, with the score 0, when one more token is all that may be written.
struct ForcedLastToken: OptionalProcessor {
  let tokens: [Int32]
  let limit: Int

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard !options.forcedLastTokens.isEmpty else { return nil }
    tokens = options.forcedLastTokens
    limit = options.limit(afterPrompt: promptCount)
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    guard text.tokens.count == limit - 1 else { return }
    scores.keepOnly(tokens)
  }
}
