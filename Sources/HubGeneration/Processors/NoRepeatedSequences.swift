/// Removes the tokens that would repeat a sequence of `size` tokens, the prompt included (Paulus et al. 2018).
struct NoRepeatedSequences: OptionalProcessor {
  let size: Int

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.noRepeatedTokens > 0 else { return nil }
    size = options.noRepeatedTokens
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    Self.remove(from: &scores, what: text.tokens, continuesAfter: text.tokens, size: size)
  }

  /// Removes what follows in `known` wherever the last `size - 1` tokens of `text` stand there.
  static func remove(from scores: inout [Float], what known: [Int32], continuesAfter text: [Int32], size: Int) {
    guard text.count >= size - 1, known.count >= size else { return }
    let last = text.suffix(size - 1)
    for start in 0...known.count - size where known[start..<start + size - 1].elementsEqual(last) {
      let token = Int(known[start + size - 1])
      if scores.indices.contains(token) { scores[token] = Probabilities.removed }
    }
  }
}
