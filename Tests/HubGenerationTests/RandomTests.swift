import Testing

@testable import HubGeneration

@Suite struct RandomTests {
  /// The known answers that come with the authors' Random123.
  @Test func `Philox gives its authors' numbers`() {
    #expect(CounterRandom(seed: 0).words(at: .zero) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      CounterRandom(seed: .max).words(at: SIMD4(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      CounterRandom(seed: 0x299f_31d0_a409_3822).words(
        at: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func `tokens are drawn as often as they are likely`() {
    let scores = [0.5, 0.3, 0.2].map { Float(Double.logarithm($0)) } + [-.infinity]
    var counts = [0, 0, 0, 0]
    let random = CounterRandom(seed: 42)
    for step in 0..<20_000 {
      if let token = Probabilities.draw(scores, random.uniform(step: step, sequence: 1)) { counts[token] += 1 }
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
