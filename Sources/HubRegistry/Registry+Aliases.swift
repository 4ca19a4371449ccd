import GRDB
public import HubBundle
public import HubWords

extension Failure.Code {
  /// No such alias is in the registry.
  public static let unknownAlias = Self("registry/unknown-alias", .notFound)
}

/// Another name for an installed adapter, such as `sentiment/sst-2@ukp`.
public struct Alias: Hashable, Sendable {
  /// The other name.
  public let alias: String
  /// The adapter that it stands for.
  public let name: AdapterName
}

extension Registry {
  /// All aliases.
  public func aliases() throws -> [Alias] {
    try reading { try $0.aliases() } ?? []
  }

  /// Gives an installed adapter another name: a plain one, or one with a publisher as AdapterHub has them. A name that
  /// is installed itself comes before an alias. An alias that is there already is changed.
  @discardableResult
  public func add(alias: AdapterReference, of name: AdapterName) throws -> Alias {
    switch alias.selector {
    case .highest, .publisher: break
    case .version, .range, .digest:
      throw Failure(
        .malformedReference, "an alias is a name, or a name and a publisher", at: alias.description,
        hint: "as in sentiment/sst-2@ukp")
    }
    _ = try resolve(AdapterReference(name))
    return try writing {
      let adapter = try resolve(AdapterReference(name))
      try committing { try $0.insert(Alias(alias: alias.description, name: adapter.name)) }
      return Alias(alias: alias.description, name: adapter.name)
    }
  }

  /// - Throws: ``Failure/Code/unknownAlias``.
  public func remove(alias: String) throws {
    guard try aliases().contains(where: { $0.alias == alias }) else {
      throw Failure(.unknownAlias, "there is no such alias", at: alias, hint: "hub alias list")
    }
    try writing { try committing { try $0.delete(alias: alias) } }
  }
}

extension Records {
  func aliases() throws -> [Alias] {
    guard try database.tableExists("aliases") else { return [] }
    return try Row.fetchAll(database, sql: "SELECT alias, name FROM aliases ORDER BY alias").map { row in
      try decoding(row) { Alias(alias: try row.value("alias"), name: try AdapterName(row.value("name"))) }
    }
  }

  /// What an alias stands for.
  func alias(_ text: String) throws -> AdapterName? {
    guard try database.tableExists("aliases") else { return nil }
    return try String.fetchOne(database, sql: "SELECT name FROM aliases WHERE alias = ?", arguments: [text]).flatMap {
      try? AdapterName($0)
    }
  }

  func insert(_ alias: Alias) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO aliases (alias, name) VALUES (?, ?)", arguments: [alias.alias, alias.name.text])
  }

  func delete(alias: String) throws {
    try database.execute(sql: "DELETE FROM aliases WHERE alias = ?", arguments: [alias])
  }
}
