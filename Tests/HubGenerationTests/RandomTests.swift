import HubTensor
import Testing

@testable import HubGeneration

@Suite struct RandomTests {
  @Test func `tokens are drawn as often as they are likely`() {
    let scores = [0.5, 0.3, 0.2].map { Float(Double.logarithm($0)) } + [-.infinity]
    var counts = [0, 0, 0, 0]
    let randomness = Randomness(seed: 42)
    for step in 0..<20_000 {
      if let token = Probabilities.draw(scores, randomness.uniform(step, of: 1)) { counts[token] += 1 }
    }
    // Four standard deviations of the binomial distribution, sqrt(20000 * 0.5 * 0.5) = 71.
    for (count, expected) in zip(counts, [10_000, 6000, 4000, 0]) { #expect(abs(count - expected) < 4 * 71) }
    #expect(counts[3] == 0)
    #expect(Probabilities.draw([0, 0], 0) == 0)
    #expect(Probabilities.draw([0, 0], 0.9999999) == 1)
    #expect(Probabilities.draw([-.infinity, -.infinity], 0.5) == nil)
  }

  @Test func `a seed gives the same text, another seed another`() throws {
    let searches = try Searches()
    func write(_ seed: UInt64) throws -> [[Int32]] {
      var options = GenerationOptions()
      (options.samples, options.seed, options.maxNewTokens, options.returnedSequences) = (true, seed, 12, 2)
      var generator = Generator(searches.model, vocabularySize: 24)
      try generator.submit(GenerationRequest(prompt: [3], options: options), start: [])
      return try generator.run()[0]?.map(\.tokens) ?? []
    }
    #expect(try write(1) == write(1))
    #expect(try write(1) != write(2))
    let two = try write(1)
    #expect(two[0] != two[1])
  }
}
