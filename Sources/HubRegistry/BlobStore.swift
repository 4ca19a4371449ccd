import Foundation
import HubArchive
public import HubWords
import HubWeights

import Glibc

extension Failure.Code {
  /// A file of an installed adapter is gone.
  public static let missingBlob = Self("registry/missing-file", .badData)
  /// A file of an installed adapter is not what was installed.
  public static let damagedBlob = Self("registry/damaged-file", .badData)
}

/// The contents of installed adapters: read-only files named by their digests.
struct BlobStore: Sendable {
  /// `blobs/sha256` of the registry.
  let folder: String
  /// Whether files of other users will do.
  let isShared: Bool

  static let mode: mode_t = 0o400

  func path(of digest: Digest) -> String { "\(shard(of: digest))/\(digest.hex)" }
  private func shard(of digest: Digest) -> String { "\(folder)/\(digest.hex.prefix(2))" }

  /// Maps a blob and compares it with its digest: what was compared is what is mapped, through one descriptor, and it
  /// did not change meanwhile.
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/missingBlob`` or ``Failure/Code/damagedBlob``.
  func open(_ digest: Digest, size: Int) throws -> MappedFile {
    let file = try opened(digest), before = try FileStatus(file)
    let mapped = try MappedFile(file, path: file.path)
    guard mapped.count == size, mapped.withBytes({ Digest(of: $0) }) == digest,
      try FileStatus(file).isSameContent(as: before)
    else {
      throw Self.damaged(file.path)
    }
    return mapped
  }

  /// Copies a blob into memory and compares that with its digest: whatever becomes of the file, what was compared is
  /// what is used.
  ///
  /// - Throws: what ``open(_:size:)`` throws.
  func copy(_ digest: Digest, size: Int) throws -> MappedFile {
    let file = try opened(digest)
    guard try file.size() == size else { throw Self.damaged(file.path) }
    let copy = try MappedFile(copying: file, path: file.path)
    guard copy.count == size, copy.withBytes({ Digest(of: $0) }) == digest else { throw Self.damaged(file.path) }
    return copy
  }

  /// A file of another user, or one with a second name by which somebody else could write, is damage too.
  private func opened(_ digest: Digest) throws -> OpenFile {
    let path = path(of: digest)
    guard try FileStatus.examining(path) != nil else {
      throw Failure(
        .missingBlob, "a file of an installed adapter is missing", at: path, hint: "install the adapter again")
    }
    let file = try OpenFile(reading: path, followsLinks: false), status = try FileStatus(file)
    guard isShared || status.isOwnedByUs, status.links == 1 else { throw Self.damaged(path) }
    return file
  }

  private static func damaged(_ path: String) -> Failure {
    Failure(
      .damagedBlob, "a file of an installed adapter has changed", at: path,
      hint: "install the adapter again")
  }

  /// The names that are in the store, `ab/<hex>` each.
  func names() throws -> [String] {
    guard try FileStatus.examining(folder) != nil else { return [] }
    let root = try OpenFile(folder: folder)
    return try root.childNames().flatMap { shard in
      guard try FileStatus.examining("\(folder)/\(shard)")?.isFolder == true else { return [shard] }
      return try OpenFile(folder: shard, in: root).childNames().map { "\(shard)/\($0)" }
    }
  }

  /// The digest that a name stands for; `nil` for a file that has no business in the store.
  func digest(of name: String) -> Digest? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let digest = try? Digest(String(parts[1])), digest.hex.hasPrefix(parts[0]),
      parts[0].utf8.count == 2
    else { return nil }
    return digest
  }
}

/// A file that lies in scratch, complete and on the disk, ready to become a blob.
struct StagedBlob {
  let path: String
  let digest: Digest
  let size: Int

  /// Takes a file of our own scratch, where it was digested and nobody else could write.
  init(taking path: String, digest: Digest) throws {
    let file = try OpenFile(reading: path, followsLinks: false)
    try Self.seal(file, at: path)
    (self.path, self.digest, size) = (path, digest, try FileStatus(file).size)
  }

  /// Copies an open file to `path`, digesting what is copied.
  init(copying source: OpenFile, to path: String) throws {
    let target = try OpenFile(creating: path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { buffer.deallocate() }
    var hasher = Digest.Hasher()
    var size = 0
    while true {
      let count = try source.read(into: buffer, at: size)
      if count == 0 { break }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      hasher.update(piece)
      try target.write(piece)
      size += count
    }
    try Self.seal(target, at: path)
    (self.path, self.digest, self.size) = (path, hasher.finish(), size)
  }

  private static func seal(_ file: OpenFile, at path: String) throws {
    guard fchmod(file.descriptor, BlobStore.mode) == 0 else {
      throw Failure.system(.unwritableFile, "set the mode", at: path)
    }
    try file.synchronize()
  }
}

extension BlobStore {
  /// Gives staged files their names; they are on the disk, name and all, when it returns. A blob that is there
  /// already is used if it is whole, and replaced if not.
  func publish(_ blobs: [StagedBlob]) throws {
    var folders: Set<String> = []
    for blob in blobs {
      let shard = shard(of: blob.digest)
      try DurableFolder.make(shard)
      if try !isWhole(blob) {
        guard rename(blob.path, path(of: blob.digest)) == 0 else {
          throw Failure.system(.unwritableFile, "rename into place", at: path(of: blob.digest))
        }
      }
      folders.insert(shard)
    }
    for folder in folders.sorted() { try DurableFolder.synchronize(folder) }
    try DurableFolder.synchronize(folder)
  }

  /// Whether a blob with the right content and mode is there, which is then written to the disk once more.
  private func isWhole(_ blob: StagedBlob) throws -> Bool {
    let path = path(of: blob.digest)
    guard let status = FileStatus(path) else { return false }
    guard status.isFile, status.mode == Self.mode, (try? open(blob.digest, size: blob.size)) != nil else {
      return false
    }
    try OpenFile(reading: path, followsLinks: false).synchronize()
    return true
  }
}
