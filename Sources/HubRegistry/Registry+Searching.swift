import GRDB
import HubWords
import HubWeights

/// What ``Registry/search(_:limit:)`` found.
public struct SearchResult: Sendable {
  /// By name, the highest version first.
  public let installed: [InstalledAdapter]
  /// By reference and base.
  public let offered: [CatalogueEntry]
  /// Whether there is more than was asked for.
  public let isCut: Bool
}

extension Registry {
  /// Makes the adapters in AdapterHub's index known, in place of those that were, so that they can be searched without
  /// a network.
  ///
  /// - Parameter path: the built index, a folder or an archive
  /// - Returns: how many adapters are known now.
  public func importCatalogue(from path: String) throws -> Int {
    let entries = try CatalogueEntry.entries(in: path)
    try prepare()
    try writing { try committing { try $0.replaceCatalogue(by: entries) } }
    return entries.count
  }

  /// The adapters, installed or offered, in whose description all words occur, whole or as the beginning of another.
  public func search(_ words: [String], limit: Int) throws -> SearchResult {
    let count = limit < .max ? limit + 1 : limit, query = SearchWords(words)
    // Signs alone are no words, and nothing has them.
    guard words.isEmpty || !query.words.isEmpty else { return SearchResult(installed: [], offered: [], isCut: false) }
    let (installed, offered) =
      try reading {
        (try $0.adapters(describedBy: query, limit: count), try $0.catalogue(describedBy: query, limit: count))
      } ?? ([], [])
    let shown = installed.prefix(limit)
    let rest = offered.prefix(limit - shown.count)
    return SearchResult(
      installed: Array(shown), offered: Array(rest), isCut: shown.count + rest.count < installed.count + offered.count)
  }
}

extension Registry {
  /// What AdapterHub calls the adapter in an archive, if its index lists exactly this file.
  func catalogueReference(of path: String) throws -> AdapterReference? {
    guard FileStatus(path, followsLinks: true)?.isFile == true, try reading({ try $0.hasCatalogue }) ?? false else {
      return nil
    }
    let digest = try MappedFile(path).withBytes { Digest(of: $0) }
    guard let entry = try reading({ try $0.catalogueEntry(digest) }) ?? nil else { return nil }
    return try? AdapterReference(entry.reference)
  }
}

extension Records {
  fileprivate var hasCatalogue: Bool {
    get throws {
      try database.tableExists("catalogue") && Int.fetchOne(database, sql: "SELECT 1 FROM catalogue LIMIT 1") != nil
    }
  }

  fileprivate func catalogueEntry(_ digest: Digest) throws -> CatalogueEntry? {
    try Row.fetchOne(database, sql: "SELECT * FROM catalogue WHERE sha256 = ? ORDER BY id", arguments: [digest.hex])
      .map(entry)
  }

  private func entry(_ row: Row) throws -> CatalogueEntry {
    CatalogueEntry(
      id: try row.value("id"), publisher: try row.value("publisher"), task: try row.value("task"),
      subtask: try row.value("subtask"),
      base: try row.value("base"), method: try row.value("method"), url: try row.value("url"),
      sha256: try row.value("sha256", String?.self).map { try Digest($0) })
  }

  fileprivate func replaceCatalogue(by entries: [CatalogueEntry]) throws {
    try database.execute(sql: "DELETE FROM catalogue")
    for entry in entries {
      try database.execute(
        sql:
          "INSERT INTO catalogue (id, publisher, task, subtask, base, method, url, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          entry.id, entry.publisher, entry.task, entry.subtask, entry.base, entry.method, entry.url, entry.sha256?.hex,
        ])
    }
  }

  fileprivate func adapters(describedBy query: SearchWords, limit: Int) throws -> [InstalledAdapter] {
    guard try SearchWords.areIndexed(in: database) else {
      return try Array(adapters().filter { SearchWords(about: $0.name, $0.manifest).match(query) }.prefix(limit))
    }
    let (condition, arguments) = try query.condition(in: database)
    return try adapters(where: condition, arguments, limit: limit)
  }

  fileprivate func catalogue(describedBy query: SearchWords, limit: Int) throws -> [CatalogueEntry] {
    guard try database.tableExists("catalogue") else { return [] }
    let entries = try Row.fetchAll(database, sql: "SELECT * FROM catalogue ORDER BY task, subtask, publisher, base, id")
      .map(entry)
    return Array(
      entries.lazy.filter { SearchWords([$0.id, $0.task, $0.subtask, $0.publisher, $0.base, $0.method]).match(query) }
        .prefix(limit))
  }
}
