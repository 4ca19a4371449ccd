import HubArchive
public import HubBundle
public import HubWords

extension Failure.Code {
  /// Others may write to the registry, so nothing in it can be relied on.
  public static let unsafeRegistry = Self("registry/unsafe", .refused)
  /// The index is gone.
  public static let missingIndex = Self("registry/missing-index", .badData)
  /// The registry is not a folder, or cannot be reached.
  public static let unusableRegistry = Self("registry/unusable", .inputOutput)
}

/// The local store of installed adapters and known base models: a folder with the contents under `blobs/`, named by
/// their digests, and an index in `registry.sqlite`.
///
/// Any number of processes may read and write one registry. A write is files first, each complete and on the disk
/// before it gets its name, then one transaction: after a crash at any moment the old state is there or the new.
/// Reading writes nothing and makes nothing; a registry that is not there reads as empty.
public struct Registry: Sendable {
  /// Where it is.
  public let folder: String

  /// What a bundle must pass beyond being whole, before it is installed; it gives the number of sites where the adapter
  /// acts. The registry itself knows no method.
  public typealias Check = @Sendable (HubBundle.Bundle) throws -> Int

  let check: Check
  private let isShared: Bool

  /// - Parameters:
  ///   - path: a folder, which need not be there yet; ``location(_:environment:)`` if `nil`.
  ///   - isShared: whether others may write to it, and everything in it is as trustworthy as they are.
  ///   - check: throws for a bundle that shall not be installed.
  public init(_ path: String? = nil, isShared: Bool = false, checking check: @escaping Check = { _ in 0 }) {
    folder = Registry.absolute(path ?? Registry.location())
    self.check = check
    self.isShared = isShared
  }

  var index: Index { Index(path: folder + "/registry.sqlite") }
  var store: BlobStore { BlobStore(folder: folder + "/blobs/sha256", isShared: isShared) }
  var scratchFolder: String { folder + "/scratch" }
  var modelsFolder: String { folder + "/models" }

  /// Whether anything was ever written to it.
  public var exists: Bool { get throws { try FileStatus.examining(index.path) != nil } }

  /// Refuses a registry whose content others could have put there.
  ///
  /// - Throws: ``Failure/Code/unsafeRegistry``, ``Failure/Code/unusableRegistry``.
  package func checkOwnership() throws {
    guard let status = try FileStatus.examining(folder, followsLinks: true) else { return }
    guard status.isFolder else { throw Failure(.unusableRegistry, "the registry is not a folder", at: folder) }
    guard !isShared else { return }
    guard status.isOwnedByUs else {
      throw Failure(
        .unsafeRegistry, "the registry belongs to another user", at: folder,
        hint: "choose another with --registry or HUB_REGISTRY")
    }
    guard status.mode & 0o022 == 0 else {
      throw Failure(.unsafeRegistry, "other users may write to the registry", at: folder, hint: "chmod go-w \(folder)")
    }
    for part in [folder + "/blobs", store.folder, scratchFolder, modelsFolder] { try checkPart(part) }
    guard try FileStatus.examining(index.path)?.isFile ?? true else {
      throw Failure(.unsafeRegistry, "the index of the registry is not a regular file", at: index.path)
    }
    var parent = DurableFolder.parent(of: folder)
    while let status = try FileStatus.examining(parent, followsLinks: true) {
      guard status.isOwnedByUs, !status.isWritableByOthers else {
        throw Failure(
          .unsafeRegistry, "other users may put another folder in place of the registry", at: parent,
          hint: "chmod go-w \(parent), or choose another place with --registry or HUB_REGISTRY")
      }
      let next = DurableFolder.parent(of: parent)
      guard next != parent, next != "." else { break }
      parent = next
    }
  }

  /// A folder of the registry is one itself, and not a link to one, and nobody else's.
  private func checkPart(_ path: String) throws {
    guard let status = try FileStatus.examining(path) else { return }
    guard status.isFolder, status.isOwnedByUs, status.mode & 0o022 == 0 else {
      throw Failure(
        .unsafeRegistry, "this part of the registry is a link, or others may write to it", at: path,
        hint: "chmod go-w \(path)")
    }
  }

  /// What is wrong with the index, one sentence each; empty if nothing is.
  public func indexFaults() throws -> [String] { try index.faults() }

  /// Makes what is missing of the registry.
  func prepare() throws {
    try checkOwnership()
    for path in [folder, store.folder, scratchFolder] { try DurableFolder.make(path) }
    for path in [folder + "/blobs", folder] { try DurableFolder.synchronize(path) }
  }

  /// Runs `body` as the only writer, after removing what dead writers left.
  ///
  /// - Parameter isRepairing: whether the index may be gone
  func writing<Result>(isRepairing: Bool = false, _ body: () throws -> Result) throws -> Result {
    let lock = try KernelLock.wait(OpenFile(locking: folder + "/lock"), seconds: 30)
    return try lock.hold {
      ScratchFolder.removeLeftovers(in: scratchFolder)
      if !isRepairing { try requireIndex() }
      return try body()
    }
  }

  /// Makes the index of a new registry, before there are any files. Files without an index are what somebody lost.
  private func requireIndex() throws {
    guard try reading({ _ in }) == nil else { return }
    try requireNoFiles()
    try committing { _ in }
  }

  /// - Throws: ``Failure/Code/missingIndex`` if there are files, for a registry without an index.
  func requireNoFiles() throws {
    guard try store.names().isEmpty else {
      throw Failure(
        .missingIndex, "the index of the registry is missing, but there are files of adapters", at: index.path,
        hint: "hub repair")
    }
  }

  /// Runs `body` on the index; `nil` if nothing was ever installed.
  func reading<Result>(_ body: (Records) throws -> Result) throws -> Result? {
    try checkOwnership()
    return try index.read { try body(Records($0, index: index, store: store)) }
  }

  /// Runs `body` in a transaction. The caller is the only writer.
  func committing<Result>(_ body: (Records) throws -> Result) throws -> Result {
    try index.write { try body(Records($0, index: index, store: store)) }
  }
}
