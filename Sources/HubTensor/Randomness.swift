/// Random numbers that are functions of where they are used, not of what was drawn before: a run depends on its seed
/// alone, not on how many threads share the work or where it was interrupted (Salmon et al. 2011).
public struct Randomness: Hashable, Sendable {
  /// What tells one run from another.
  public let seed: UInt64
  /// The pass within the run.
  public let pass: UInt64
  /// Whether dropout acts in the base model, too.
  public let reachesBase: Bool

  public init(seed: UInt64, pass: Int = 0, reachesBase: Bool = true) {
    self.seed = seed
    self.pass = UInt64(bitPattern: Int64(pass))
    self.reachesBase = reachesBase
  }

  /// The key of one of the pass's places, under which ``bits(_:_:)`` has a sequence of its own.
  func key(of place: UInt64) -> UInt64 {
    Self.mixed(Self.mixed(Self.mixed(seed ^ 0x9E37_79B9_7F4A_7C15) &+ pass) &+ place)
  }

  /// 64 random bits: the number `index` of the sequence of `key`.
  @inline(__always)
  static func bits(_ key: UInt64, _ index: Int) -> UInt64 {
    mixed(key &+ UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// A number from 0 up to 1, without 1: the number `index` of the sequence of one of the pass's places.
  public func uniform(_ index: Int, of place: UInt64) -> Double {
    Double(Self.bits(key(of: place), index) >> 11) * 0x1p-53
  }

  /// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
  @inline(__always)
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A generator for what is drawn one after another, such as an order or the words to mask.
  ///
  /// - Parameter place: tells what is drawn for one purpose from what is drawn for another
  public func generator(for place: UInt64) -> Generator { Generator(key: key(of: ~place)) }

  /// Numbers one after another.
  public struct Generator: RandomNumberGenerator, Sendable {
    let key: UInt64
    private var index = 0

    init(key: UInt64) { self.key = key }

    public mutating func next() -> UInt64 {
      index += 1
      return Randomness.bits(key, index)
    }
  }
}
