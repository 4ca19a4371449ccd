/// Removes tokens of less than a probability (Hewitt, Manning and Liang: Truncation Sampling, 2022).
struct EpsilonCutoff: OptionalProcessor {
  let epsilon: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.epsilonCutoff > 0 else { return nil }
    epsilon = options.epsilonCutoff
  }

  func process(_ scores: inout [Float], after text: WrittenText) { scores.removeUnlikely(below: epsilon) }
}
