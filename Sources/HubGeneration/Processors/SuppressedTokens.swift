/// Removes tokens everywhere, and others at the beginning: after the prompt, or after the token that is forced to be
/// first.
struct SuppressedTokens: OptionalProcessor {
  let everywhere, atBegin: [Int32]
  let begin: Int

  init?(_ options: GenerationOptions, promptCount: Int) {
    (everywhere, atBegin) = (options.suppressedTokens, options.tokensSuppressedAtBegin)
    begin = promptCount > 1 || options.forcedFirstToken == nil ? promptCount : promptCount + 1
    guard !everywhere.isEmpty || !atBegin.isEmpty else { return nil }
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    for token in everywhere { scores[Int(token)] = Probabilities.removed }
    guard text.tokens.count == begin else { return }
    for token in atBegin { scores[Int(token)] = Probabilities.removed }
  }
}
