import Foundation
import GRDB
import HubArchive
import HubBundle
public import HubWords
import HubWeights

import Glibc

/// What ``Registry/repair()`` did.
public struct Repair: Sendable {
  /// Where the damaged index was put; `nil` if there was none, or none was damaged.
  public internal(set) var damagedIndex: String?
  /// The adapters that the new index lists again.
  public internal(set) var restored: [InstalledAdapter] = []
  /// What could not be restored, and why.
  public internal(set) var lost: [Failure] = []
}

extension Registry {
  /// Makes a lost or damaged index again from the files: an adapter is there if its manifest and all files that it
  /// lists are. What the damaged index still tells is kept: names, who is trusted, who signed what, base models,
  /// aliases, the history. Nothing is changed if the index is whole.
  public func repair() throws -> Repair {
    try checkOwnership()
    guard try FileStatus.examining(folder, followsLinks: true) != nil else { return Repair() }
    try prepare()
    return try writing(isRepairing: true) {
      var repair = Repair()
      guard try !isIndexWhole() else { return repair }
      let memory = try IndexMemory(index)
      let found = try findAdapters()
      let composed = Dictionary(grouping: found.flatMap(\.manifest.composed), by: \.digest)
      let new = Index(path: index.path + ".new")
      for suffix in ["", "-journal"] { try DurableFolder.remove(new.path + suffix) }
      try new.write { database in
        let records = Records(database, index: new, store: store)
        repair.lost += try memory.restore(into: database)
        for entry in found where memory.knows(entry.digest) {
          let names = memory.names(of: entry.digest), others = Set((composed[entry.digest] ?? []).map(\.name))
          try restore(entry, as: names.isEmpty ? others.sorted() : names, records, &repair)
        }
        try records.requireReadable()
      }
      repair.damagedIndex = try replaceIndex(by: new)
      return repair
    }
  }

  private func isIndexWhole() throws -> Bool {
    guard try exists else { return try store.names().isEmpty }
    guard let faults = try intact({ try index.faults() }), faults.isEmpty else { return false }
    // Nothing in the index is damage, too: there are files.
    return try (intact { try index.read { try Records($0, index: index, store: store).requireReadable() } } ?? nil)
      != nil
  }

  /// Puts a new index in place of a damaged one, which gets another name: nothing is lost that somebody may still read.
  /// Whenever this stops, there is the old index or the new one, and no journal that is not its own.
  private func replaceIndex(by new: Index) throws -> String? {
    let suffixes = (1...).lazy.map { ".damaged-\($0)" }
    let target =
      try exists ? suffixes.first { try FileStatus.examining(index.path + $0) == nil }.map { index.path + $0 } : nil
    if let target {
      guard link(index.path, target) == 0 else {
        throw Failure.system(.unwritableFile, "keep the damaged index", at: target)
      }
      if try FileStatus.examining(index.path + "-journal") != nil,
        rename(index.path + "-journal", target + "-journal") != 0
      {
        throw Failure.system(.unwritableFile, "rename", at: index.path + "-journal")
      }
      try DurableFolder.synchronize(folder)
    }
    guard rename(new.path, index.path) == 0 else {
      throw Failure.system(.unwritableFile, "rename into place", at: index.path)
    }
    try DurableFolder.synchronize(folder)
    return target
  }

  /// `nil` for what is damaged. A disk that fails is not damage: it may work tomorrow, and nothing is given up for it.
  private func intact<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
      return try body()
    } catch let failure as Failure where failure.code.category != .inputOutput {
      return nil
    }
  }

  private struct FoundAdapter {
    let digest: Digest
    let manifest: Manifest
    let files: [Manifest.File]
    let signers: [PublicKey]
  }

  /// All manifests in the store, each with the files that it lists and the signatures that are its own.
  private func findAdapters() throws -> [FoundAdapter] {
    var manifests: [(digest: Digest, size: Int, manifest: Manifest)] = []
    var signatures: [Digest: [BundleSignature]] = [:]
    for digest in try store.names().compactMap(store.digest) {
      guard let size = try FileStatus.examining(store.path(of: digest))?.size, size <= InputLimits.jsonBytes,
        let bytes = try intact({ try store.copy(digest, size: size).withBytes { Array($0) } })
      else { continue }
      if let signature = BundleSignature(bytes) {
        signatures[signature.bundle, default: []].append(signature)
      } else if bytes.first == UInt8(ascii: "{"), let manifest = try? Manifest(parsing: bytes) {
        manifests.append((digest, size, manifest))
      }
    }
    return manifests.map { digest, size, manifest in
      let own = signatures[digest] ?? []
      let stored = Manifest.File(
        path: "manifest.json", role: Manifest.Role(rawValue: "manifest"), size: size, digest: digest)
      let signing = own.map {
        Manifest.File(
          path: $0.path, role: Manifest.Role(rawValue: "signature"), size: BundleSignature.size, digest: $0.digest)
      }
      return FoundAdapter(
        digest: digest, manifest: manifest, files: [stored] + manifest.files + signing, signers: own.map(\.key))
    }
  }

  private func restore(
    _ found: FoundAdapter, as names: [AdapterName], _ records: Records, _ repair: inout Repair
  ) throws {
    for name in names.isEmpty ? [found.manifest.name] : names {
      do {
        let adapter = try restored(found.digest, files: found.files, as: name, installedAt: Date())
        _ = try Self.match(adapter, among: records.adapters(named: name))
        try records.insert(adapter, files: found.files)
        try records.record(.repair, adapter)
        let known = try records.signers(of: name)
        let new = found.signers.filter { key in !known.contains { $0.key == key && $0.version >= adapter.version } }
          .map { SignerRecord(key: $0, version: adapter.version, digest: adapter.digest) }
        try records.replaceSigners(of: name, by: known.filter { old in !new.contains { $0.key == old.key } } + new)
        repair.restored.append(adapter)
      } catch let failure as Failure where failure.code.category != .inputOutput {
        repair.lost.append(failure.within("\(name)@\(found.manifest.version)"))
      }
    }
  }
}

extension Records {
  /// Reads everything once.
  fileprivate func requireReadable() throws {
    for adapter in try adapters() { _ = try files(of: adapter) }
    _ = (try keys(), try models(), try aliases(), try history(limit: .max), try lastRemoval())
    for name in try names() { _ = try signers(of: AdapterName(name)) }
  }
}

/// What a damaged index still tells: the rows of its tables that can be read.
private struct IndexMemory {
  private var rows: [(table: String, columns: [String], values: [DatabaseValue])] = []
  private var names: [Digest: [AdapterName]] = [:]
  /// Whether the list of adapters was read to its end.
  private var isComplete = false

  /// Tables that the files know nothing of, each before those that refer to it.
  private static let kept = [
    "keys", "keyPrefixes", "signers", "aliases", "models", "modelFiles", "history", "historyFiles",
  ]

  init(_ index: Index) throws {
    guard try FileStatus.examining(index.path) != nil else { return }
    let isSettled = try FileStatus.examining(index.path + "-journal") == nil
    guard let database = try index.intact({ try index.open(readonly: isSettled) }) else { return }
    for table in Self.kept {
      let found = try index.intact { try database.read { try Row.fetchAll($0, sql: "SELECT * FROM \(table)") } } ?? []
      rows += found.map { (table, Array($0.columnNames), Array($0.databaseValues)) }
    }
    let adapters = try index.intact {
      try database.read { try Row.fetchAll($0, sql: "SELECT name, digest FROM adapters") }
    }
    isComplete = adapters?.isEmpty == false
    for row in adapters ?? [] {
      guard let digest = try? Digest(row.value("digest", String.self)), let name = try? AdapterName(row.value("name"))
      else {
        isComplete = false
        continue
      }
      names[digest, default: []].append(name)
    }
  }

  /// Whether an adapter was installed, as far as is known: what was removed stays so.
  func knows(_ digest: Digest) -> Bool { !isComplete || names[digest] != nil }
  func names(of digest: Digest) -> [AdapterName] { names[digest] ?? [] }

  /// Writes the rows into a new index; returns those that it does not take.
  func restore(into database: Database) throws -> [Failure] {
    try rows.compactMap { table, columns, values in
      let places = columns.map { _ in "?" }.joined(separator: ", ")
      do {
        try database.execute(
          sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(places))",
          arguments: StatementArguments(values))
        return nil
      } catch let error as DatabaseError where error.isDamage || error.resultCode == .SQLITE_CONSTRAINT {
        return Failure(.damagedIndex, "a row cannot be recovered", at: table)
      }
    }
  }
}
