import Foundation
public import HubWords

extension Failure.Code {
  /// A text is not a public key, or the key is of small order: any signature would pass.
  public static let malformedKey = Self("key/malformed", .badData)
}

/// An Ed25519 public key: `ed25519:` and 64 lower-case hexadecimal digits.
///
/// Verification is the strictest that honest signers pass (RFC 8032, 5.1.7; Chalkias et al., "Taming the many EdDSAs"):
/// key and R are encoded in the one canonical way and are not of small order, and S is below the order of the group. So
/// a signature cannot be changed into another one, and no key verifies everything.
public struct PublicKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// 64 lower-case hexadecimal digits.
  public let hex: String
  let bytes: [UInt8]

  /// - Throws: ``Failure/Code/malformedKey``.
  public init(_ text: String) throws {
    let digits = text.hasPrefix(Self.prefix) ? String(text.dropFirst(Self.prefix.count)) : text
    guard digits.utf8.count == 64, digits.utf8.allSatisfy(Self.alphabet.contains) else {
      throw Failure(
        .malformedKey,
        "expected 'ed25519:' and 64 lower-case hexadecimal digits, found \(text.prefix(100).debugDescription)")
    }
    try self.init(bytes: Self.bytes(digits))
  }

  /// - Throws: ``Failure/Code/malformedKey`` for what is not a point in canonical form, or one of small order.
  init(bytes: [UInt8]) throws {
    let hex = Self.hex(bytes[...])
    guard bytes.count == 32, Self.isSound(bytes[...]) else {
      throw Failure(.malformedKey, "this public key is weak: signatures by it can be forged", at: Self.prefix + hex)
    }
    (self.hex, self.bytes) = (hex, bytes)
  }

  static func hex(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The bytes that an even number of digits stands for.
  static func bytes(_ hex: String) -> [UInt8] {
    let values = hex.utf8.compactMap { alphabet.firstIndex(of: $0).map { UInt8($0) } }
    return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  private static let prefix = "ed25519:"
  private static let alphabet = Array("0123456789abcdef".utf8)

  public var description: String { Self.prefix + hex }
  /// The first twelve digits, for people.
  public var short: String { String(hex.prefix(12)) }

  public static func < (left: PublicKey, right: PublicKey) -> Bool { left.hex < right.hex }

  /// Whether the holder of the secret key signed the message.
  public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == 64, Self.isSound(signature[..<32]), Self.isBelow(signature[32...], Self.order)
    else { return false }
    return Ed25519.verifies(signature, of: message, by: bytes)
  }

  // MARK: The curve

  /// p = 2^255 - 19, the modulus of the coordinates; little-endian as all numbers here.
  private static let modulus = [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]

  /// L = 2^252 + 27742317777372353535851937790883648493, the order of the group.
  private static let order: [UInt8] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
  ]

  /// The y of the eight points whose order divides 8: 0, 1, -1, and the two of order 8.
  private static let smallOrder: [[UInt8]] = [
    [UInt8](repeating: 0, count: 32),
    [1] + [UInt8](repeating: 0, count: 31),
    [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
    [
      0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
      0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
    ],
    [
      0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
      0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
    ],
  ]

  /// Whether the encoding of a point is the canonical one, and the point not of small order. The highest bit is the
  /// sign of x; the points with x = 0, where it could be either, are of small order.
  private static func isSound(_ point: ArraySlice<UInt8>) -> Bool {
    let y = Array(point.dropLast()) + [(point.last ?? 0) & 0x7F]
    return isBelow(y[...], modulus) && !smallOrder.contains(y)
  }

  private static func isBelow(_ number: ArraySlice<UInt8>, _ bound: [UInt8]) -> Bool {
    number.reversed().lexicographicallyPrecedes(bound.reversed())
  }
}
