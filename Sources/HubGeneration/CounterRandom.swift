/// Random numbers by place: each is computed from a seed and a counter alone, so that what one text draws does not depend on
/// how many others are written beside it.
///
/// Philox 4x32 with ten rounds (Salmon, Moraes, Dror and Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, 2011).
public struct CounterRandom: Hashable, Sendable {
  /// What all numbers depend on.
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  /// The four words at a counter.
  public func words(at counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var (words, key) = (counter, SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    for _ in 0..<10 {
      let first = UInt64(words[0]) * 0xD251_1F53, second = UInt64(words[2]) * 0xCD9E_8D57
      words = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ words[1] ^ key[0], UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ words[3] ^ key[1], UInt32(truncatingIfNeeded: first))
      key = key &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return words
  }

  /// A number from 0 up to 1, without 1, for a step of a sequence.
  public func uniform(step: Int, sequence: Int) -> Double {
    let words = words(at: SIMD4(UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: sequence), 0, 0))
    return Double((UInt64(words[0]) << 32 | UInt64(words[1])) >> 11) * 0x1p-53
  }
}
