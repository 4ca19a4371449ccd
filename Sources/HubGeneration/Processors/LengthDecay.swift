import Foundation

/// Raises the end of a text, ever more after a number of tokens: `score + |score| (factor ** excess - 1)`.
struct LengthDecay: OptionalProcessor {
  let start: Int
  let factor: Double
  let endTokens: [Int32]

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard let decay = options.lengthDecay, !options.endTokens.isEmpty else { return nil }
    (start, factor, endTokens) = (promptCount + decay.start, decay.factor, options.endTokens)
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    guard text.tokens.count > start else { return }
    let growth = Float(pow(factor, Double(text.tokens.count - start)) - 1)
    for token in endTokens.map(Int.init) where scores[token] > Probabilities.removed {
      scores[token] += abs(scores[token]) * growth
    }
  }
}
