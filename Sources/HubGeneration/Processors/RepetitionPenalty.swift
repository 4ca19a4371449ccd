/// Makes tokens that have appeared less likely: divides positive scores, multiplies negative ones (Keskar et al.: CTRL,
/// 2019).
struct RepetitionPenalty: OptionalProcessor {
  let penalty: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.repetitionPenalty != 1 else { return nil }
    penalty = options.repetitionPenalty
  }

  func process(_ scores: inout [Float], after text: WrittenText) { Self.apply(penalty, to: &scores, text.tokens) }

  static func apply(_ penalty: Float, to scores: inout [Float], _ tokens: [Int32]) {
    for token in Set(tokens).map(Int.init) where scores.indices.contains(token) {
      scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty
    }
  }
}
