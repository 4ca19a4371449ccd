import Foundation
import HubTensor
import HubWords

/// The angles of rotary positions, with what stretches them to longer texts than the model was trained on.
struct RotaryPositions: Sendable {
  /// The angle of position 1, for each pair of columns of a head: `θ^(−2j/d)`, or what the scaling makes of it.
  let frequencies: [Float]
  /// What sines and cosines are multiplied by.
  let scale: Float

  /// - Parameters:
  ///   - c: `config.json`, of which `rope_theta` and `rope_scaling` are read
  ///   - width: that of a head
  init(_ c: JSONObject, width: Int, maximumLength: Int) throws {
    let theta = Float(try c.optionalNumber("rope_theta") ?? 10_000)
    guard theta > 0, theta.isFinite else {
      throw Failure(.invalidModelConfiguration, "θ is \(theta)", at: c.path(to: "rope_theta"))
    }
    let plain = (0..<width / 2).map { 1 / pow(theta, Float(2 * $0) / Float(width)) }
    guard let scaling = try c.optionalObject("rope_scaling") else {
      (frequencies, scale) = (plain, 1)
      return
    }
    let kind = try scaling.optionalString("rope_type") ?? scaling.optionalString("type") ?? "default"
    switch kind {
    case "default": (frequencies, scale) = (plain, 1)
    case "linear":
      let factor = try Self.factor("factor", scaling)
      (frequencies, scale) = (plain.map { $0 / factor }, 1)
    case "llama3": (frequencies, scale) = (try Self.llama3(plain, scaling), 1)
    case "yarn": (frequencies, scale) = try Self.yarn(plain, theta, width, scaling, maximumLength)
    default:
      throw Failure(
        .unsupportedModel, "rotary positions scaled by \(kind.debugDescription) are not supported",
        at: scaling.path(to: "rope_type"), hint: "supported: default, linear, llama3, yarn")
    }
  }

  func rotation(_ positions: [Int], in context: Context) -> Rotation {
    Rotation(positions, frequencies: frequencies, scale: scale, in: context)
  }

  private static func factor(_ key: String, _ scaling: JSONObject, or absent: Double? = nil) throws -> Float {
    let value = Float(try absent.map { try scaling.optionalNumber(key) ?? $0 } ?? scaling.number(key))
    guard value > 0, value.isFinite else {
      throw Failure(.invalidModelConfiguration, "a factor of \(value) is impossible", at: scaling.path(to: key))
    }
    return value
  }

  /// Long wavelengths are stretched, short ones stay, and those between go over from one to the other (LLaMA 3.1).
  private static func llama3(_ plain: [Float], _ scaling: JSONObject) throws -> [Float] {
    let factor = try factor("factor", scaling), low = try Self.factor("low_freq_factor", scaling)
    let high = try Self.factor("high_freq_factor", scaling)
    let length = try Self.factor("original_max_position_embeddings", scaling)
    return plain.map { frequency in
      let wavelength = 2 * Float.pi / frequency
      if wavelength < length / high { return frequency }
      if wavelength > length / low { return frequency / factor }
      let share = (length / wavelength - low) / (high - low)
      return (1 - share) * frequency / factor + share * frequency
    }
  }

  /// YaRN (Peng et al. 2024).
  private static func yarn(
    _ plain: [Float], _ theta: Float, _ width: Int, _ scaling: JSONObject, _ maximumLength: Int
  ) throws -> ([Float], Float) {
    let factor = try factor("factor", scaling)
    let length = try Self.factor("original_max_position_embeddings", scaling, or: Double(maximumLength))
    let fast = try Self.factor("beta_fast", scaling, or: 32), slow = try Self.factor("beta_slow", scaling, or: 1)
    func dimension(_ rotations: Float) -> Float {
      Float(width) * log(length / (rotations * 2 * Float.pi)) / (2 * log(theta))
    }
    let low = max(dimension(fast).rounded(.down), 0), high = min(dimension(slow).rounded(.up), Float(width - 1))
    let frequencies = plain.enumerated().map { index, frequency in
      let ramp = min(max((Float(index) - low) / max(high - low, 0.001), 0), 1)
      return frequency / factor * ramp + frequency * (1 - ramp)
    }
    return (frequencies, try Self.factor("attention_factor", scaling, or: Double(0.1 * log(factor) + 1)))
  }
}
