public import HubArchive
public import HubWords
import HubWeights

extension Bundle {
  /// Holds the digest of the manifest, in the form of `sha256sum`. It belongs to the archive and not to the bundle:
  /// without it a flipped bit in the manifest would make another bundle, and no error.
  private static let checksumName = "manifest.sha256"

  private static func checksum(_ digest: Digest) -> [UInt8] { Array("\(digest.hex)  \(manifestName)\n".utf8) }

  /// Writes a bundle to one file, usually named `*.adapter`: the manifest, its checksum, its signatures, then the other
  /// files in the order of their names. The same bundle gives the same bytes.
  ///
  /// - Returns: the digest of the bundle, which does not depend on the compression.
  /// - Throws: what ``open(folder:)`` throws if the bundle is not right, and `file/...` or `archive/...`.
  @discardableResult
  public static func pack(folder: String, to path: String, compression: Compression = .zstd) throws -> Digest {
    let bundle = try open(folder: folder)
    let writer = try ArchiveWriter(file: path, compression: compression)
    func add(_ isWanted: (String) -> Bool) throws {
      for (name, file) in bundle.files.filter({ isWanted($0.name.text) }).sorted(by: { $0.name < $1.name }) {
        try file.withBytes { try writer.add(name, buffer: $0) }
      }
    }
    try add { $0 == manifestName }
    try writer.add(EntryName(checksumName), bytes: checksum(bundle.digest))
    try add(BundleSignature.isSignature)
    try add { $0 != manifestName && !BundleSignature.isSignature($0) }
    try writer.finish()
    return bundle.digest
  }

  /// Unpacks a bundle into a folder, which must not be there yet or be empty. The folder appears when everything in it
  /// was checked.
  ///
  /// - Parameter isDurable: whether it must survive a power cut
  /// - Throws: what ``open(folder:)`` and `ArchiveReader` throw, and ``Failure/Code/existingFile``.
  public static func unpack(
    file path: String, into folder: String, limits: ArchiveLimits = ArchiveLimits(), isDurable: Bool = true
  ) throws -> Bundle {
    let reader = try ArchiveReader(file: path, limits: limits)
    let manifest = try manifestBytes(reader)
    let scratch = try StagedFolder(for: folder)
    try reader.extract(into: scratch.path)
    try scratch.write(manifestName, manifest)
    return try locating(path) { try publishing(scratch, isDurable: isDurable) }
  }

  /// Reads the manifest of a packed bundle, which is its first entry, and the signatures after its checksum: what it
  /// says is not compared with the files.
  public static func describe(
    file path: String, limits: ArchiveLimits = ArchiveLimits()
  ) throws -> (manifest: Manifest, digest: Digest, signatures: [BundleSignature]) {
    let reader = try ArchiveReader(file: path, limits: limits)
    let bytes = try manifestBytes(reader)
    var signing: [(path: String, bytes: [UInt8])] = []
    while let name = try reader.next()?.name.text, BundleSignature.isSignature(name) {
      signing.append((name, try reader.contents(limit: BundleSignature.size)))
    }
    return try locating(path) { try parseManifest(bytes, signing: signing) }
  }

  /// The manifest, which is the first entry, compared with its checksum, which is the second.
  private static func manifestBytes(_ reader: ArchiveReader) throws -> [UInt8] {
    guard try reader.next()?.name.text == manifestName else {
      throw Failure(.notABundle, "\(manifestName) is not the first entry: this is not a bundle", at: reader.path)
    }
    let bytes = try reader.contents(limit: manifestLimit)
    guard try reader.next()?.name.text == checksumName else {
      throw Failure(.missingBundleFile, "\(checksumName) is not the second entry", at: reader.path)
    }
    guard try reader.contents(limit: 256) == checksum(Digest(of: bytes)) else {
      throw Failure(
        .changedBundleFile, "the manifest does not match the digest in \(checksumName)", at: reader.path)
    }
    return bytes
  }
}
