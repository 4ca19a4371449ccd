/// Makes tokens that were written less likely: by a constant, and by another for every time. The prompt does not count.
struct PresencePenalty: OptionalProcessor {
  let presence, frequency: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    (presence, frequency) = (options.presencePenalty, options.frequencyPenalty)
    guard presence != 0 || frequency != 0 else { return nil }
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    let counts = text.newTokens.reduce(into: [:]) { $0[Int($1), default: 0] += 1 }
    for (token, count) in counts { scores[token] -= presence + frequency * Float(count) }
  }
}
