/// Divides all scores.
struct Temperature: OptionalProcessor {
  let temperature: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.temperature != 1 else { return nil }
    temperature = options.temperature
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    for token in scores.indices { scores[token] /= temperature }
  }
}
