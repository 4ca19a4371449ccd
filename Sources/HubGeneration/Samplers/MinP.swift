/// Keeps the tokens that have at least a share of the best one's probability (Nguyen et al. 2024).
struct MinP: OptionalProcessor {
  let share: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.minP > 0 else { return nil }
    share = options.minP
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    scores.removeUnlikely(below: share * (Probabilities.softmax(scores).max() ?? 0))
  }
}

extension [Float] {
  /// Removes tokens of less than a probability; the best ones always stay.
  mutating func removeUnlikely(below least: Float) {
    let probabilities = Probabilities.softmax(self), best = self.max() ?? 0
    for token in indices where probabilities[token] < least && self[token] < best {
      self[token] = Probabilities.removed
    }
  }
}
