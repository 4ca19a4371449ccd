/// Keeps the best tokens, and all that are as good as the last of them (Fan et al. 2018).
struct TopK: OptionalProcessor {
  let count: Int

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.topK > 0 else { return nil }
    count = options.topK
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    guard count < scores.count else { return }
    let ordered = Probabilities.sorted(scores) { scores[$0] > scores[$1] }
    guard ordered.count > count else { return }
    let least = scores[ordered[count - 1]]
    for token in ordered[count...] where scores[token] < least { scores[token] = Probabilities.removed }
  }
}
