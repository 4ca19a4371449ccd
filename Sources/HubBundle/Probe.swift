public import HubWords

extension Failure.Code {
  /// A probe is malformed, or not one of this adapter's base.
  public static let malformedProbe = Self("bundle/bad-probe", .badData)
}

/// A tiny input and what an adapter made of it on its base model: the file `probe.json` of a bundle. What it makes of
/// it on another day, machine or version must be the same.
public struct Probe: Hashable, Sendable {
  /// The input.
  public let text: String
  /// The fingerprint of the base model.
  public let base: Digest
  /// The last hidden state of the first token, which all layers and all tokens have a part in.
  public let state: [Double]
  /// The head's logits, row by row; none without a head that tells apart a few labels.
  public let logits: [Double]

  static let path = "probe.json"

  public init(text: String, base: Digest, state: [Double], logits: [Double]) {
    (self.text, self.base, self.state, self.logits) = (text, base, state, logits)
  }

  package init(_ object: JSONObject, hiddenSize: Int) throws {
    func numbers(_ key: String) throws -> [Double] {
      let array = try object.array(key), numbers = array.compactMap(\.number)
      guard numbers.count == array.count else {
        throw Failure(.malformedProbe, "expected numbers", at: object.path(to: key))
      }
      return numbers
    }
    text = try object.string("text")
    base = try locating(object.path(to: "base")) { try Digest(object.string("base")) }
    (state, logits) = (try numbers("state"), try numbers("logits"))
    guard (1...InputLimits.probeBytes).contains(text.utf8.count) else {
      throw Failure(
        .malformedProbe, "the text must have 1 to \(InputLimits.probeBytes) bytes", at: object.path(to: "text"))
    }
    guard state.count == hiddenSize else {
      throw Failure(
        .malformedProbe, "the state has \(state.count) numbers, but the hidden size is \(hiddenSize)",
        at: object.path(to: "state"))
    }
  }

  /// The file, and what a manifest says of it.
  package var file: (listed: Manifest.File, bytes: [UInt8]) {
    let bytes = BundleBuilder.bytes(json)
    return (Manifest.File(path: Self.path, role: .probe, size: bytes.count, digest: Digest(of: bytes)), bytes)
  }

  var json: JSON {
    [
      "text": .string(text), "base": .string(base.description), "state": .array(state.map(JSON.number)),
      "logits": .array(logits.map(JSON.number)),
    ]
  }

  /// How far apart two answers to one probe may be: arithmetic differs between processors, and a wrong weight does
  /// more.
  public static let tolerance = 1e-3

  /// The largest difference of a number, in parts of the largest number that this probe expects, or of 1.
  public func deviation(of other: Probe) -> Double {
    guard state.count == other.state.count, logits.count == other.logits.count else { return .infinity }
    return max(Self.deviation(state, other.state), Self.deviation(logits, other.logits))
  }

  private static func deviation(_ expected: [Double], _ found: [Double]) -> Double {
    let scale = expected.reduce(1) { max($0, abs($1)) }
    return zip(expected, found).reduce(0) { $1.1.isFinite ? max($0, abs($1.0 - $1.1) / scale) : .infinity }
  }
}
