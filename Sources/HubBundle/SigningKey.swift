import Foundation
import HubArchive
public import HubWords

import Glibc

extension Failure.Code {
  /// A file holds no secret key.
  public static let malformedSecretKey = Self("key/malformed-secret", .badData)
  /// Others may read a secret key.
  public static let exposedKey = Self("key/exposed", .refused)
}

/// An Ed25519 secret key, kept in a file as OpenSSL keeps it (RFC 8410, in the text form of RFC 7468).
public struct SigningKey: Sendable {
  private let seed: [UInt8]
  /// The public half, which others verify with.
  public let publicKey: PublicKey

  /// Makes a key that nobody had before.
  public init() throws {
    var random = SystemRandomNumberGenerator()
    try self.init(seed: (0..<32).map { _ in random.next() })
  }

  init(seed: [UInt8]) throws {
    guard let key = Ed25519.publicKey(ofSeed: seed) else { throw Self.malformed() }
    self.seed = seed
    publicKey = try PublicKey(bytes: key)
  }

  func signature(of message: [UInt8]) throws -> [UInt8] {
    guard let signature = Ed25519.signature(of: message, bySeed: seed) else {
      throw Failure(.malformedSecretKey, "cannot sign with this key")
    }
    return signature
  }

  // MARK: The file

  private static let begin = "-----BEGIN PRIVATE KEY-----"
  private static let end = "-----END PRIVATE KEY-----"
  /// What stands in front of the 32 bytes of the seed: version 0, the algorithm 1.3.101.112, an octet string in
  /// another.
  private static let header: [UInt8] = [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20]

  /// Reads a key.
  ///
  /// - Throws: ``Failure/Code/malformedSecretKey``; ``Failure/Code/exposedKey`` if the group or others may read the
  ///   file.
  public init(file path: String) throws {
    let file = try OpenFile(reading: path)
    guard try file.status().st_mode & 0o077 == 0 else {
      throw Failure(.exposedKey, "other users can read this secret key", at: path, hint: "chmod 600 \(path)")
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
    defer { buffer.deallocate() }
    let text = String(decoding: buffer[..<(try file.read(into: buffer, at: 0))], as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline)
    guard lines.count == 3, lines[0] == Self.begin, lines[2] == Self.end,
      let data = Data(base64Encoded: String(lines[1])),
      data.count == 48, data.starts(with: Self.header)
    else { throw Self.malformed().within(path) }
    try self.init(seed: Array(data.dropFirst(Self.header.count)))
  }

  /// Writes the key to a file that must not be there yet, for this user alone.
  public func write(to path: String) throws {
    guard access(path, F_OK) != 0 else {
      throw Failure(.existingFile, "something with this name exists already", at: path)
    }
    let text = [Self.begin, Data(Self.header + seed).base64EncodedString(), Self.end, ""].joined(
      separator: "\n")
    let output = try AtomicFile(path)
    guard fchmod(output.file.descriptor, 0o600) == 0 else {
      throw Failure.system(.unwritableFile, "set the mode", at: path)
    }
    try Array(text.utf8).withUnsafeBytes { try output.file.write($0) }
    try output.commit()
  }

  private static func malformed() -> Failure {
    Failure(
      .malformedSecretKey, "this is not an Ed25519 secret key",
      hint: "make one with hub keys generate, or openssl genpkey -algorithm ed25519")
  }
}
