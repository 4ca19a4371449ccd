/// Removes the tokens that would repeat a sequence of `size` tokens of the source.
struct NoRepeatedSourceSequences: OptionalProcessor {
  let size: Int

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.noRepeatedSourceTokens > 0 else { return nil }
    size = options.noRepeatedSourceTokens
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    NoRepeatedSequences.remove(from: &scores, what: text.source, continuesAfter: text.tokens, size: size)
  }
}
