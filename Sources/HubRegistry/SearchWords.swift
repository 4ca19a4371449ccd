import GRDB
import HubBundle
import HubWords

/// The words by which an adapter is found: runs of letters and digits, in lower case.
struct SearchWords {
  let words: Set<String>

  init(_ texts: [String?]) {
    words = Set(texts.compactMap(\.self).flatMap(Self.split))
  }

  /// All that is said of an adapter in words.
  init(about name: AdapterName, _ manifest: Manifest) {
    let base = manifest.base
    self.init(
      [
        name.text, manifest.kind.rawValue, manifest.method, manifest.task, base.architecture, base.name,
        manifest.description,
      ] + manifest.languages)
  }

  /// Longer words are cut, here and where they are looked for.
  private static func split(_ text: String) -> [String] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map { String($0.prefix(64)) }
  }

  /// Whether each of the others begins one of these.
  func match(_ query: SearchWords) -> Bool {
    query.words.allSatisfy { beginning in words.contains { $0.hasPrefix(beginning) } }
  }
}

extension SearchWords {
  /// In the index each word stands beside the rows it occurs in.
  static let schema = """
    CREATE TABLE words (
      word TEXT NOT NULL,
      adapter INTEGER NOT NULL REFERENCES adapters (id) ON DELETE CASCADE,
      PRIMARY KEY (word, adapter)
    ) WITHOUT ROWID;
    CREATE INDEX wordsByAdapter ON words (adapter);
    """

  /// Writes down the words of the adapters that were installed before there was a table of them.
  static func fill(_ database: Database) throws {
    for row in try Row.fetchAll(database, sql: "SELECT id, name, manifest FROM adapters") {
      // What cannot be read has no words; verifying the registry finds it.
      guard let name = try? AdapterName(row.value("name")),
        let manifest = try? Manifest(parsing: Array(row.value("manifest", String.self).utf8))
      else { continue }
      try SearchWords(about: name, manifest).insert(for: row.value("id"), into: database)
    }
  }

  func insert(for adapter: Int64, into database: Database) throws {
    for word in words.sorted() {
      try database.execute(sql: "INSERT INTO words (word, adapter) VALUES (?, ?)", arguments: [word, adapter])
    }
  }

  /// Whether these are the words that the index has of an adapter.
  func agree(with adapter: Int, in database: Database) throws -> Bool {
    guard try Self.areIndexed(in: database) else { return true }
    return try String.fetchSet(database, sql: "SELECT word FROM words WHERE adapter = ?", arguments: [adapter]) == words
  }

  /// Only a registry that an older version wrote last has no table of words.
  static func areIndexed(in database: Database) throws -> Bool { try database.tableExists("words") }

  /// True for the adapters that have a word for each beginning. The rarest says which rows to look at; if even that
  /// one is frequent, rows in the order wanted are soon enough.
  func condition(in database: Database) throws -> (sql: String, arguments: StatementArguments) {
    let frequent = 1000, begins = "word >= ? AND word < ?"
    let counted = try words.sorted().map { beginning in
      let range: StatementArguments = [beginning, beginning + "\u{10FFFF}"]
      let count = try Int.fetchOne(
        database, sql: "SELECT count(*) FROM (SELECT 1 FROM words WHERE \(begins) LIMIT \(frequent))", arguments: range)
      return (range: range, count: count ?? 0)
    }
    let sorted = counted.sorted { $0.count < $1.count }
    let conditions = sorted.enumerated().map { index, word in
      index == 0 && word.count < frequent
        ? "id IN (SELECT adapter FROM words WHERE \(begins))"
        : "EXISTS (SELECT 1 FROM words WHERE adapter = adapters.id AND \(begins))"
    }
    return (
      conditions.isEmpty ? "1" : conditions.joined(separator: " AND "),
      sorted.reduce(StatementArguments()) { $0 + $1.range }
    )
  }
}
