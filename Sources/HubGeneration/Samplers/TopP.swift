/// Keeps the fewest best tokens whose probabilities sum up to more than `mass` (Holtzman et al. 2020): removes from the
/// least likely on while the sum of what is removed is at most `1 - mass`.
struct TopP: OptionalProcessor {
  let mass: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.topP < 1 else { return nil }
    mass = options.topP
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    let probabilities = Probabilities.softmax(scores)
    var sum: Float = 0
    // The library's order among equals is that of the vocabulary, from the least likely on.
    for token in Probabilities.sorted(scores, by: { scores[$0] < scores[$1] }).dropLast() {
      sum += probabilities[token]
      guard sum <= 1 - mass else { return }
      scores[token] = Probabilities.removed
    }
  }
}
