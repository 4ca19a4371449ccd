import Foundation
public import HubTensor

/// Parameters that were never trained, drawn from a seed and their own name: the order in which they are asked for
/// does not matter.
public struct FreshParameters: ParameterProvider {
  /// The same seed gives the same values, whatever the order in which they are asked for.
  public let seed: UInt64
  private let context: @Sendable () -> Context

  /// - Parameters:
  ///   - seed: what the random values begin with
  ///   - engine: whose memory the values lie in
  public init(seed: UInt64, engine: Engine) {
    self.seed = seed
    context = { Context(engine) }
  }

  public func has(_ name: String) -> Bool { true }

  public func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    let (rows, columns) = shape.asMatrix
    var generator = SplitMix(
      seed: name.utf8.reduce(seed ^ 0x9E37_79B9_7F4A_7C15) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    let values = Self.values(rows, columns, initial, &generator)
    return Parameter(name, context().tensor(rows: rows, columns: columns, values), shape: shape)
  }

  private static func values(
    _ rows: Int, _ columns: Int, _ initial: Initializer, _ generator: inout SplitMix
  ) -> [Float] {
    let count = rows * columns
    switch initial {
    case .zeros: return Array(repeating: 0, count: count)
    case .ones: return Array(repeating: 1, count: count)
    case .constant(let value): return Array(repeating: value, count: count)
    case .normal(let deviation): return (0..<count).map { _ in deviation * generator.normal() }
    case .kaimingUniform(let a):
      let bound = (6 / ((1 + a * a) * Float(columns))).squareRoot()
      return (0..<count).map { _ in Float.random(in: -bound...bound, using: &generator) }
    case .uniform(let bound):
      return (0..<count).map { _ in Float.random(in: -bound...bound, using: &generator) }
    case .identity(let rest):
      return (0..<count).map { $0 / columns == $0 % columns ? 1 : rest }
    case .diagonal(let value):
      return (0..<count).map { $0 / columns == $0 % columns ? value : 0 }
    }
  }
}

/// Steele, Lea and Flood's SplitMix64: small, and the same on every machine.
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A standard Gaussian (Box and Muller 1958).
  mutating func normal() -> Float {
    let radius = (-2 * log(Float.random(in: Float.leastNormalMagnitude...1, using: &self))).squareRoot()
    return radius * cos(2 * Float.pi * Float.random(in: 0..<1, using: &self))
  }
}
