import Foundation

/// Removes tokens of less than `min(epsilon, sqrt(epsilon) exp(-entropy))` (Hewitt, Manning and Liang, 2022).
struct EtaCutoff: OptionalProcessor {
  let epsilon: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.etaCutoff > 0 else { return nil }
    epsilon = options.etaCutoff
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    let entropy = Probabilities.entropy(Probabilities.logSoftmax(scores))
    scores.removeUnlikely(below: min(epsilon, epsilon.squareRoot() * exp(-entropy)))
  }
}
