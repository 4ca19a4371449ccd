/// Keeps the tokens whose information, `-log p`, is closest to the entropy, until their probabilities sum up to `mass`
/// (Meister et al.: Locally Typical Sampling, 2023).
struct TypicalP: OptionalProcessor {
  let mass: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.typicalP < 1 else { return nil }
    mass = options.typicalP
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    let logs = Probabilities.logSoftmax(scores), probabilities = Probabilities.softmax(scores)
    let entropy = Probabilities.entropy(logs)
    let distances = logs.map { abs(-$0 - entropy) }
    var sum: Float = 0
    var farthest: Float?
    for token in Probabilities.sorted(scores, by: { distances[$0] < distances[$1] }) {
      if let farthest, distances[token] > farthest {
        scores[token] = Probabilities.removed
      } else if farthest == nil {
        sum += probabilities[token]
        if sum >= mass { farthest = distances[token] }
      }
    }
  }
}
