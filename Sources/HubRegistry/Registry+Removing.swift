import Foundation
import HubArchive
import HubWords

/// What ``Registry/collect(dryRun:)`` removed.
public struct GarbageCollection: Hashable, Sendable {
  /// Paths of what no installed adapter or model used.
  public private(set) var paths: [String] = []
  /// Bytes of all of them.
  public private(set) var bytes = 0

  mutating func add(_ found: [String]) {
    paths += found
    bytes += found.reduce(0) { $0 + Self.bytes(of: $1) }
  }

  private static func bytes(of path: String) -> Int {
    guard let status = FileStatus(path), status.isFolder else { return FileStatus(path)?.size ?? 0 }
    return (FileManager.default.subpaths(atPath: path) ?? []).reduce(0) { sum, name in
      sum + (FileStatus("\(path)/\(name)").map { $0.isFile ? $0.size : 0 } ?? 0)
    }
  }
}

extension Registry {
  /// Removes an adapter from the index. Its files go with ``collect(dryRun:)``.
  ///
  /// - Throws: ``Failure/Code/unknownAdapter``; ``Failure/Code/ambiguousReference`` for what means several versions;
  ///   ``Failure/Code/neededAdapter`` for a member of a composition.
  @discardableResult
  public func remove(_ reference: AdapterReference) throws -> InstalledAdapter {
    _ = try resolve(reference)
    return try writing {
      let adapter = try resolve(reference)
      let versions = (try reading { try $0.adapters(named: adapter.name) } ?? []).filter {
        reference.mismatch(of: $0) == nil
      }
      guard versions.count == 1 else {
        let list = versions.map(\.reference).joined(separator: ", ")
        throw Failure(
          .ambiguousReference, "several versions are installed", at: reference.description, hint: "one of: \(list)")
      }
      try committing {
        let users = try $0.compositions(of: adapter)
        guard users.isEmpty else {
          throw Failure(
            .neededAdapter, "the adapter is a member of \(users.joined(separator: ", "))", at: adapter.reference,
            hint: "hub remove \(users.joined(separator: " ")), and then this one")
        }
        try $0.record(.remove, adapter, files: $0.files(of: adapter))
        try $0.delete(adapter)
      }
      return adapter
    }
  }

  /// Removes files that nothing uses, and what dead processes left.
  ///
  /// - Parameter dryRun: only say what would go.
  public func collect(dryRun: Bool = false) throws -> GarbageCollection {
    try checkOwnership()
    var collection = GarbageCollection()
    guard try FileStatus.examining(scratchFolder) != nil else { return collection }
    collection.add(ScratchFolder.leftovers(in: scratchFolder))
    guard !dryRun else {
      collection.add(try unused())
      return collection
    }
    return try writing {
      let unused = try unused()
      collection.add(unused)
      for path in unused { try DurableFolder.remove(path) }
      for folder in Set(unused.map(DurableFolder.parent)) { try DurableFolder.synchronize(folder) }
      return collection
    }
  }

  /// Blobs and copies of models that the index does not know.
  private func unused() throws -> [String] {
    let known = try reading {
      (used: try $0.usedDigests(), models: Set(try $0.models().map { modelFolder(of: $0.name) }))
    }
    if known == nil { try requireNoFiles() }
    let (used, models) = known ?? ([], [])
    let blobs = try store.names().filter { store.digest(of: $0).map { !used.contains($0.hex) } ?? false }.map {
      "\(store.folder)/\($0)"
    }
    let copies =
      try FileStatus.examining(modelsFolder) == nil
      ? [] : OpenFile(folder: modelsFolder).childNames().map { "\(modelsFolder)/\($0)" }
    return blobs + copies.filter { !models.contains($0) }
  }
}
