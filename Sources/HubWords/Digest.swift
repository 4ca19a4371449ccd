import CCrypto

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
        "expected 'sha256:' and 64 lower-case hexadecimal digits, found \(text.prefix(100).debugDescription)")
    }
    self.hex = String(hex)
  }

  /// The digest of some bytes.
  public init(of bytes: some Sequence<UInt8>) {
    var hasher = Hasher()
    bytes.withContiguousStorageIfAvailable { hasher.update(UnsafeRawBufferPointer($0)) } ?? hasher.update(Array(bytes))
    self = hasher.finish()
  }

  fileprivate init(bytes: [UInt8]) {
    hex = bytes.map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }

  public var description: String { "sha256:\(hex)" }

  /// The first twelve digits, for people.
  public var short: String { String(hex.prefix(12)) }

  public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }

  /// Digests bytes as they come. A copy goes on by itself.
  public struct Hasher: Sendable {
    private var state = DigestState()

    public init() {}

    /// Digests some more bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
      if !isKnownUniquelyReferenced(&state) { state = DigestState(state) }
      state.update(bytes)
    }
    /// Digests some more bytes.
    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }
    /// Digests the UTF-8 of a text.
    public mutating func update(_ text: String) { update(Array(text.utf8)) }
    /// The digest of everything so far.
    public func finish() -> Digest { Digest(bytes: DigestState(state).finish()) }
  }
}

/// libcrypto's SHA-256. Changed only while one ``Digest/Hasher`` holds it.
private final class DigestState: @unchecked Sendable {
  /// libcrypto as it was built: a user's openssl.cnf could make it load other code.
  private static let isReady = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil) == 1

  private let state = EVP_MD_CTX_new()

  init() {
    precondition(Self.isReady && EVP_DigestInit_ex(state, EVP_sha256(), nil) == 1, "libcrypto has no SHA-256")
  }

  init(_ other: DigestState) {
    precondition(EVP_MD_CTX_copy_ex(state, other.state) == 1, "out of memory")
  }

  deinit { EVP_MD_CTX_free(state) }

  func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(state, bytes.baseAddress, bytes.count) }

  func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(state, &digest, nil)
    return digest
  }
}
