public import Foundation
import GRDB
public import HubBundle
public import HubWords
import HubWeights

extension Failure.Code {
  /// There is no removal left that could be undone.
  public static let nothingToUndo = Self("registry/nothing-to-undo", .notFound)
}

/// Something that happened to an installed adapter. Events are recorded with what they did, in one transaction.
public struct Event: Hashable, Sendable {
  /// What happened.
  public enum Action: String, Sendable, CaseIterable {
    case install, remove
    /// A removal was taken back.
    case undo
    /// The adapter was found again among the files after the index was lost.
    case repair
  }

  /// Events are numbered as they happen.
  public let id: Int64
  /// When it happened.
  public let at: Date
  /// What happened.
  public let action: Action
  /// The name of the adapter.
  public let name: AdapterName
  /// The version of the adapter.
  public let version: SemanticVersion
  /// The digest of its manifest.
  public let digest: Digest
  /// Where it was installed from.
  public let origin: String?
  /// The removal that was taken back.
  let undone: Int64?
  let installedAt: Date
}

extension Registry {
  /// What happened, the latest first.
  ///
  /// - Parameter limit: how many events at most
  public func history(limit: Int = .max) throws -> [Event] {
    try reading { try $0.history(limit: limit) } ?? []
  }

  /// Takes back the last removal that was not taken back yet, as long as `hub gc` left its files.
  ///
  /// - Throws: ``Failure/Code/nothingToUndo``; ``Failure/Code/missingBlob`` or ``Failure/Code/damagedBlob``;
  ///   ``Failure/Code/existingVersion`` if something else was installed in its place.
  @discardableResult
  public func undoRemoval() throws -> InstalledAdapter {
    guard try exists else { throw Self.nothingToUndo }
    return try writing {
      guard let (event, files) = try reading({ try $0.lastRemoval() }) ?? nil else { throw Self.nothingToUndo }
      let adapter = try locating("\(event.name)@\(event.version)") {
        try restored(event.digest, files: files, as: event.name, installedAt: event.installedAt)
      }
      let installed = try reading { try $0.adapters(named: adapter.name) } ?? []
      if try Self.match(adapter, among: installed) == nil {
        try committing {
          try $0.insert(adapter, files: files)
          try $0.record(.undo, adapter, undone: event.id)
        }
      }
      return adapter
    }
  }

  private static var nothingToUndo: Failure {
    Failure(.nothingToUndo, "there is no removal to undo", at: nil, hint: "hub history")
  }

  /// An adapter whose files are all in the store, whole.
  func restored(
    _ digest: Digest, files: [Manifest.File], as name: AdapterName, installedAt: Date
  ) throws -> InstalledAdapter {
    var parameters = 0
    var manifest: Manifest?
    for file in files {
      let blob = try store.open(file.digest, size: file.size)
      if file.digest == digest { manifest = try blob.withBytes { try Manifest(parsing: Array($0)) } }
      if file.role == .weights { parameters = try Safetensors.open(blob).tensors.reduce(0) { $0 + $1.count } }
    }
    guard let manifest else { throw Failure(.missingBlob, "the manifest is missing", at: name.text) }
    return InstalledAdapter(
      name: name, digest: digest, manifest: manifest, size: files.reduce(0) { $0 + $1.size },
      parameterCount: parameters,
      installedAt: installedAt, store: store)
  }
}

extension Records {
  private var knowsHistory: Bool { get throws { try database.tableExists("history") } }

  /// - Parameters:
  ///   - files: of what is removed, so that it can come back
  ///   - undone: the removal that is taken back
  func record(
    _ action: Event.Action, _ adapter: InstalledAdapter, origin: String? = nil, files: [Manifest.File] = [],
    undone: Int64? = nil
  ) throws {
    try database.execute(
      sql:
        "INSERT INTO history (at, action, name, version, digest, origin, undone, installedAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        Int(Date().timeIntervalSince1970), action.rawValue, adapter.name.text, adapter.version.description,
        adapter.digest.hex, origin, undone,
        Int(adapter.installedAt.timeIntervalSince1970),
      ])
    let id = database.lastInsertedRowID
    for file in files {
      try database.execute(
        sql: "INSERT INTO historyFiles (event, path, role, size, digest) VALUES (?, ?, ?, ?, ?)",
        arguments: [id, file.path, file.role.rawValue, file.size, file.digest.hex])
    }
  }

  func history(limit: Int) throws -> [Event] {
    guard try knowsHistory else { return [] }
    return try Row.fetchAll(database, sql: "SELECT * FROM history ORDER BY id DESC LIMIT ?", arguments: [limit]).map(
      event)
  }

  func lastRemoval() throws -> (Event, [Manifest.File])? {
    guard try knowsHistory else { return nil }
    let sql = """
      SELECT * FROM history WHERE action = 'remove' AND id NOT IN (SELECT undone FROM history WHERE undone IS NOT NULL)
      ORDER BY id DESC LIMIT 1
      """
    guard let event = try Row.fetchOne(database, sql: sql).map(event) else { return nil }
    let rows = try Row.fetchAll(
      database, sql: "SELECT path, role, size, digest FROM historyFiles WHERE event = ? ORDER BY path",
      arguments: [event.id])
    return (event, try rows.map(file))
  }

  private func event(_ row: Row) throws -> Event {
    try decoding(row) {
      guard let action = Event.Action(rawValue: try row.value("action")) else {
        throw Failure(.damagedIndex, "an unknown action", at: "action")
      }
      return Event(
        id: try row.value("id"), at: Date(timeIntervalSince1970: try row.value("at")), action: action,
        name: try AdapterName(row.value("name")), version: try SemanticVersion(row.value("version", String.self)),
        digest: try Digest(row.value("digest", String.self)), origin: try row.value("origin"),
        undone: try row.value("undone"), installedAt: Date(timeIntervalSince1970: try row.value("installedAt")))
    }
  }
}
