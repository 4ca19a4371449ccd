import HubArchive
public import HubWords
import HubWeights

import Glibc

extension Failure.Code {
  /// A signature is not one of this bundle.
  public static let badSignature = Self("bundle/bad-signature", .refused)
  /// The manifest says who signed the bundle, and that signature is not there.
  public static let missingSignature = Self("bundle/missing-signature", .refused)
}

/// A file below `signatures/` of a bundle, verified: `signatures/KEY.ed25519`, the 32 bytes of the bundle's digest, the
/// 32 of the key and the 64 of its signature. So a signature that lost its name is still one, and says of what.
public struct BundleSignature: Hashable, Sendable {
  /// The key that signed.
  public let key: PublicKey
  /// The digest of the bundle that is signed.
  public let bundle: Digest
  /// The digest of the file.
  public let digest: Digest
  /// Its path in a bundle.
  public var path: String { Self.path(of: key) }

  private static let folder = "signatures/"
  /// Bytes of the file.
  public static let size = 128
  private static let suffix = ".ed25519"

  static func path(of key: PublicKey) -> String { folder + key.hex + suffix }
  /// The key in the name of a signature file.
  public static func key(inName path: String) -> PublicKey? {
    guard path.hasPrefix(folder), path.hasSuffix(suffix) else { return nil }
    return try? PublicKey(String(path.dropFirst(folder.count).dropLast(suffix.count)))
  }
  static func isSignature(_ path: String) -> Bool { path.hasPrefix(folder) }

  /// Verifies the contents of a signature file; `nil` if they are not a signature.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.size, let key = try? PublicKey(bytes: Array(bytes[32..<64])),
      let bundle = try? Digest(PublicKey.hex(bytes[..<32])), key.verifies(Array(bytes[64...]), of: Self.message(bundle))
    else { return nil }
    (self.key, self.bundle, digest) = (key, bundle, Digest(of: bytes))
  }

  /// What is signed: a sentence that no other program signs, and the digest that names everything in the bundle.
  static func message(_ bundle: Digest) -> [UInt8] { Array("dovetail bundle signature 1\n\(bundle)\n".utf8) }

  /// The contents of a signature file.
  static func file(of bundle: Digest, by key: SigningKey) throws -> [UInt8] {
    try PublicKey.bytes(bundle.hex) + key.publicKey.bytes + key.signature(of: message(bundle))
  }

  /// Verifies all of them: one that is wrong is not overlooked because another is right.
  static func verified(_ files: [(path: String, bytes: [UInt8])], of bundle: Digest) throws -> [BundleSignature] {
    guard files.count <= InputLimits.signatures else {
      throw Failure(.badSignature, "the bundle has more than \(InputLimits.signatures) signatures", at: folder)
    }
    return try files.map { path, bytes in
      guard let signature = BundleSignature(bytes), signature.bundle == bundle, signature.path == path else {
        throw Failure(
          .badSignature, "this signature does not belong to the bundle", at: path,
          hint: "do not use the bundle: somebody changed it")
      }
      return signature
    }.sorted { $0.key < $1.key }
  }
}

extension Bundle {
  /// Signs a bundle, in a folder or packed, in place. Other signatures stay.
  ///
  /// - Returns: the digest that was signed.
  @discardableResult
  public static func sign(_ path: String, with key: SigningKey) throws -> Digest {
    if (try? OpenFile(folder: path)) != nil { return try sign(folder: path, with: key) }
    let compression = try ArchiveReader(file: path).format.compression
    let scratch = try StagedFolder(for: path + ".signing")
    let folder = scratch.path + "/bundle"
    _ = try unpack(file: path, into: folder, isDurable: false)
    try sign(folder: folder, with: key)
    return try pack(folder: folder, to: path, compression: compression)
  }

  @discardableResult
  private static func sign(folder: String, with key: SigningKey) throws -> Digest {
    let digest = try open(folder: folder).digest
    try writeSignature(of: digest, by: key, in: folder)
    return digest
  }

  /// Writes a signature into the folder of a bundle.
  package static func writeSignature(of digest: Digest, by key: SigningKey, in folder: String) throws {
    let path = "\(folder)/\(BundleSignature.path(of: key.publicKey))"
    let signatures = PathParts(path).folder
    guard mkdir(signatures, 0o755) == 0 || errno == EEXIST else {
      throw Failure.system(.unwritableFile, "create a folder", at: signatures)
    }
    try AtomicFile.write(BundleSignature.file(of: digest, by: key), to: path)
  }
}

extension ArchiveReader.Format {
  /// How to write an archive again.
  fileprivate var compression: Compression {
    switch self {
    case .zip, .tarZstd: .zstd
    case .tarGzip: .gzip
    case .tar: .none
    }
  }
}
