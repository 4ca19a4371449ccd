import Testing

@testable import HubTensor

@Suite struct RandomnessTests {
  /// The first numbers of the authors' SplitMix64 from the states 0 and 1234567.
  @Test func `SplitMix64 gives its authors' numbers`() {
    var zero = Randomness.Generator(key: 0), other = Randomness.Generator(key: 1_234_567)
    #expect((0..<3).map { _ in zero.next() } == [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F])
    #expect(
      (0..<5).map { _ in other.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }

  @Test func `numbers from 0 up to 1 are spread evenly, and differ by seed, pass, place and index`() {
    let randomness = Randomness(seed: 7, pass: 1)
    let numbers = (0..<10_000).map { randomness.uniform($0, of: 3) }
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    // Ten bins of 1000 expected: chi-squared with nine degrees of freedom is below 27.9 with a probability of 0.999.
    let bins = numbers.reduce(into: Array(repeating: 0.0, count: 10)) { $0[Int($1 * 10)] += 1 }
    #expect(bins.reduce(0) { $0 + ($1 - 1000) * ($1 - 1000) / 1000 } < 27.9)
    let others = [
      Randomness(seed: 8, pass: 1).uniform(0, of: 3), Randomness(seed: 7, pass: 2).uniform(0, of: 3),
      randomness.uniform(0, of: 4), randomness.uniform(1, of: 3), randomness.uniform(0, of: 3),
    ]
    #expect(Set(others).count == 5)
  }
}
