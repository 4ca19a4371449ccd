import Foundation
import GRDB
import HubBundle
import HubWords

/// The rows of the index, within one transaction.
struct Records {
  let database: Database
  private let index: Index
  private let store: BlobStore

  init(_ database: Database, index: Index, store: BlobStore) {
    (self.database, self.index, self.store) = (database, index, store)
  }

  private static let select = "SELECT name, digest, manifest, size, parameters, installedAt FROM adapters"

  /// The adapters that pass a filter, by name, the highest version first.
  func adapters(_ filter: AdapterFilter = AdapterFilter(), limit: Int = .max) throws -> [InstalledAdapter] {
    let (condition, arguments) = filter.sql
    return try adapters(where: condition, arguments, limit: limit)
  }

  /// The first rows by name that meet a condition, of each name the highest version first.
  func adapters(where condition: String, _ arguments: StatementArguments, limit: Int) throws -> [InstalledAdapter] {
    try Row.fetchAll(
      database, sql: "\(Self.select) WHERE \(condition) ORDER BY name LIMIT ?", arguments: arguments + [limit]
    )
    .map(adapter).sorted { ($0.name, $1.version) < ($1.name, $0.version) }
  }

  func adapters(named name: AdapterName) throws -> [InstalledAdapter] {
    try Row.fetchAll(database, sql: "\(Self.select) WHERE name = ?", arguments: [name.text])
      .map(adapter).sorted { $0.version > $1.version }
  }

  func names() throws -> [String] {
    try String.fetchAll(database, sql: "SELECT DISTINCT name FROM adapters ORDER BY name")
  }

  /// The digests of all files that are in use.
  func usedDigests() throws -> Set<String> {
    try Set(String.fetchAll(database, sql: "SELECT digest FROM files UNION SELECT digest FROM adapters"))
  }

  func insert(_ adapter: InstalledAdapter, files: [Manifest.File]) throws {
    let manifest = adapter.manifest
    try database.execute(
      sql: """
        INSERT INTO adapters (name, version, digest, kind, method, task, architecture, baseName, hiddenSize, fingerprint, size,
          parameters, installedAt, manifest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        adapter.name.text, adapter.version.description, adapter.digest.hex, manifest.kind.rawValue, manifest.method,
        manifest.task,
        manifest.base.architecture, manifest.base.name, manifest.base.hiddenSize, manifest.base.fingerprint?.hex,
        adapter.size,
        adapter.parameterCount, Int(adapter.installedAt.timeIntervalSince1970),
        String(decoding: manifest.bytes, as: UTF8.self),
      ])
    let id = database.lastInsertedRowID
    for tag in Set(manifest.languages) {
      try database.execute(sql: "INSERT INTO languages (adapter, tag) VALUES (?, ?)", arguments: [id, tag])
    }
    try SearchWords(about: adapter.name, manifest).insert(for: id, into: database)
    try insert(manifest.composed, of: id)
    try insert(files, of: id)
  }

  /// Adds the files that an installed adapter did not have before: signatures.
  func insertMissing(_ files: [Manifest.File], of adapter: InstalledAdapter) throws {
    let key: StatementArguments = [adapter.name.text, adapter.version.description]
    guard
      let id = try Int64.fetchOne(
        database, sql: "SELECT id FROM adapters WHERE name = ? AND version = ?", arguments: key)
    else { return }
    let known = try String.fetchSet(database, sql: "SELECT path FROM files WHERE adapter = ?", arguments: [id])
    try insert(files.filter { !known.contains($0.path) }, of: id)
  }

  private func insert(_ files: [Manifest.File], of adapter: Int64) throws {
    for file in files {
      try database.execute(
        sql: "INSERT INTO files (adapter, path, role, size, digest) VALUES (?, ?, ?, ?, ?)",
        arguments: [adapter, file.path, file.role.rawValue, file.size, file.digest.hex])
    }
  }

  func delete(_ adapter: InstalledAdapter) throws {
    try database.execute(
      sql: "DELETE FROM adapters WHERE name = ? AND version = ?",
      arguments: [adapter.name.text, adapter.version.description])
  }

  private func adapter(_ row: Row) throws -> InstalledAdapter {
    try decoding(row) {
      let manifest = try Manifest(parsing: Array(row.value("manifest", String.self).utf8))
      return InstalledAdapter(
        name: try AdapterName(row.value("name")), digest: try Digest(row.value("digest", String.self)),
        manifest: manifest,
        size: try row.value("size"), parameterCount: try row.value("parameters"),
        installedAt: Date(timeIntervalSince1970: try row.value("installedAt")), store: store)
    }
  }

  /// A row that cannot be read says that the index is damaged, and how.
  func decoding<Result>(_ row: Row, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let failure as Failure {
      let name = (try? row.value("name", String.self)) ?? "?"
      throw index.damaged("the row of \(name.debugDescription): \(failure.message)")
    }
  }
}

extension Row {
  /// The value of a column; never a trap, whatever somebody wrote into the database.
  func value<Value: DatabaseValueConvertible>(_ column: String, _: Value.Type = Value.self) throws -> Value {
    let stored: DatabaseValue? = self[column]
    guard let value = stored.flatMap({ Value.fromDatabaseValue($0) }) else {
      throw Failure(.damagedIndex, "the column \(column) holds an unexpected value", at: column)
    }
    return value
  }
}
