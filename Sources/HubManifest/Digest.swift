import Crypto

extension Failure.Code {
  /// A text that should be a digest is not `sha256:` and 64 lower-case hexadecimal digits.
  public static let malformedDigest = Self("digest/malformed", .badData)
}

/// A SHA-256 digest. There is no way to make one but from 64 lower-case hexadecimal digits or from bytes, so a
/// digest is safe to build a path from.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// 64 lower-case hexadecimal digits.
  public let hex: String

  /// - Parameter text: `sha256:` and 64 digits, or the digits alone.
  public init(_ text: String) throws {
    let hex = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
    guard hex.utf8.count == 64, hex.utf8.allSatisfy(isDigit) else {
      throw Failure(
        .malformedDigest,
        "a digest is 'sha256:' and 64 lower-case hexadecimal digits, not \(text.prefix(100).debugDescription)")
    }
    self.hex = String(hex)
  }

  /// The digest of some bytes.
  public init(of bytes: some Sequence<UInt8>) {
    var hasher = Hasher()
    bytes.withContiguousStorageIfAvailable { hasher.update(UnsafeRawBufferPointer($0)) } ?? hasher.update(Array(bytes))
    self = hasher.finish()
  }

  fileprivate init(_ digest: SHA256Digest) {
    hex = digest.map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }

  public var description: String { "sha256:\(hex)" }

  /// The first twelve digits, for people.
  public var short: String { String(hex.prefix(12)) }

  public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }

  /// Digests bytes as they come.
  public struct Hasher: Sendable {
    private var state = SHA256()

    public init() {}

    public mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }
    public mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }
    public mutating func update(_ text: String) { state.update(data: Array(text.utf8)) }
    public func finish() -> Digest { Digest(state.finalize()) }
  }
}
