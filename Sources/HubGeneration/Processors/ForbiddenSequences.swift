/// Removes the last token of a forbidden sequence where the others stand before it. An end token alone cannot be
/// forbidden.
struct ForbiddenSequences: OptionalProcessor {
  let sequences: [[Int32]]

  init?(_ options: GenerationOptions, promptCount: Int) {
    sequences = options.forbiddenSequences.filter { $0.count > 1 || !options.endTokens.contains($0[0]) }
    guard !sequences.isEmpty else { return nil }
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    for sequence in sequences where sequence.count <= max(1, text.tokens.count) {
      guard let last = sequence.last, text.tokens.ends(with: sequence.dropLast()) else { continue }
      scores[Int(last)] = Probabilities.removed
    }
  }
}
