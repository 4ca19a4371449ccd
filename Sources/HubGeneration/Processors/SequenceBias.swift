/// Adds to the score of a token, where it is the last of a sequence whose others stand before it.
struct SequenceBias: OptionalProcessor {
  let biases: [GenerationOptions.Bias]

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard !options.biases.isEmpty else { return nil }
    biases = options.biases
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    var sums: [Int: Float] = [:]
    for bias in biases where bias.tokens.count <= max(1, text.tokens.count) {
      guard let last = bias.tokens.last, text.tokens.ends(with: bias.tokens.dropLast()) else { continue }
      sums[Int(last), default: 0] += bias.value
    }
    for (token, sum) in sums { scores[token] += sum }
  }
}

extension [Int32] {
  /// Whether these are the last elements.
  func ends(with others: ArraySlice<Int32>) -> Bool { suffix(others.count).elementsEqual(others) }
}
