import CSQLite
import Foundation
import GRDB
public import HubArchive
public import HubWords

extension Failure.Code {
  /// `registry.sqlite` is not a database, or a damaged one.
  public static let damagedIndex = Self("registry/damaged-index", .badData)
  /// The registry was written by a newer Dovetail.
  public static let newerIndex = Self("registry/newer", .refused)
  /// The index cannot be read or written.
  public static let unusableIndex = Self("registry/index", .inputOutput)
}

/// The database of what is installed. Each use opens it again: a registry may appear, and be read-only, at any time.
///
/// The journal is a rollback journal, so that readers write nothing and work on a read-only file system.
struct Index: Sendable {
  let path: String

  /// Runs `body` on a consistent state; on none at all, `nil` is returned: nothing was ever installed.
  func read<Result>(_ body: (Database) throws -> Result) throws -> Result? {
    guard try FileStatus.examining(path) != nil else { return nil }
    return try translating {
      do {
        return try open(readonly: true).read { try Self.isEmpty($0) ? nil : body($0) }
      } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
        // A writer died in the middle of a transaction; whoever may write takes it back.
        return try open(readonly: false).read { try Self.isEmpty($0) ? nil : body($0) }
      }
    }
  }

  /// Runs `body` in one transaction, which is on the disk when this returns. The caller holds the write lock.
  func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
    try translating {
      // SQLite would leave the mode to the umask. An empty file is a database without tables.
      if try FileStatus.examining(path) == nil { _ = try OpenFile(creating: path, mode: 0o600) }
      let wasInterrupted = try FileStatus.examining(path + "-journal").map { $0.size > 0 } ?? false
      let database = try open(readonly: false)
      if wasInterrupted, let fault = try faults().first { throw damaged(fault) }
      let isNewer = try database.read { try Self.migrator.hasBeenSuperseded($0) }
      guard !isNewer else {
        throw Failure(
          .newerIndex, "the registry was written by a newer version of Dovetail", at: path,
          hint: "update Dovetail to change this registry")
      }
      try Self.migrator.migrate(database)
      return try database.write { database in
        try body(database)
      }
    }
  }

  /// What SQLite finds wrong with the file; empty if nothing.
  func faults() throws -> [String] {
    try read { database in
      let check = try String.fetchAll(database, sql: "PRAGMA quick_check").filter { $0 != "ok" }
      let orphans = try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map {
        "a row of \(try $0.value("table", String.self)) has no row that it belongs to"
      }
      return check + orphans
    } ?? []
  }

  /// Whether there is no table but the one that counts migrations, which is made first: who made it may have died then.
  private static func isEmpty(_ database: Database) throws -> Bool {
    try Int.fetchOne(database, sql: "SELECT 1 FROM sqlite_schema WHERE tbl_name <> 'grdb_migrations' LIMIT 1") == nil
  }

  func open(readonly: Bool) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = readonly
    configuration.busyMode = .timeout(30)
    configuration.prepareDatabase { database in
      // Whoever wrote the file may have been hostile: sqlite.org/security.html.
      guard hub_sqlite_defend(database.sqliteConnection) == SQLITE_OK else {
        throw Failure(.unusableIndex, "this SQLite library has no defensive mode", at: path)
      }
      try database.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
      guard !readonly else { return }
      try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA")
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Says in our words what SQLite says in its own.
  private func translating<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as DatabaseError {
      let reason = (error.message ?? error.resultCode.description).lowercased()
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED:
        throw Failure(
          .busyRegistry, "another process is using the registry", at: path, hint: "try again when it is done")
      case _ where error.isDamage:
        throw damaged(reason)
      default:
        throw Failure(.unusableIndex, "cannot use the index of the registry: \(reason)", at: path)
      }
    } catch let error as RowDecodingError {
      throw damaged(error.description)
    }
  }

  /// `nil` for what is damaged; a failing disk is not damage.
  func intact<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
      return try translating(body)
    } catch let failure as Failure where failure.code == .damagedIndex {
      return nil
    }
  }

  func damaged(_ reason: String) -> Failure {
    Failure(
      .damagedIndex, "the index of the registry is damaged: \(reason)", at: path,
      hint: "hub repair makes it again from the files")
  }
}

extension DatabaseError {
  /// Whether the file is to blame, and not the disk, the memory or another process: that may be over tomorrow.
  var isDamage: Bool {
    switch resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_FORMAT: true
    default: extendedResultCode == .SQLITE_IOERR_SHORT_READ
    }
  }
}

extension Index {
  /// The schema, one migration a version. What was published is never changed, only added to.
  private static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(sql: firstSchema)
    }
    migrator.registerMigration("2") { database in
      try database.execute(sql: trustSchema)
    }
    migrator.registerMigration("3") { database in
      try database.execute(
        sql: "CREATE TABLE aliases (alias TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID")
    }
    migrator.registerMigration("4") { database in
      try database.execute(sql: historySchema)
    }
    migrator.registerMigration("5") { database in
      try database.execute(sql: catalogueSchema)
    }
    migrator.registerMigration("6") { database in
      try database.execute(sql: SearchWords.schema)
      try SearchWords.fill(database)
    }
    migrator.registerMigration("7") { database in
      try database.execute(sql: memberSchema)
    }
    migrator.registerMigration("8") { database in
      try database.execute(sql: LookAlikes.schema)
    }
    migrator.registerMigration("9") { database in
      // Models that were added before have none.
      try database.execute(sql: "ALTER TABLE modelFiles ADD COLUMN digest TEXT")
    }
    return migrator
  }()

  private static let firstSchema = """
    CREATE TABLE adapters (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      version TEXT NOT NULL,
      digest TEXT NOT NULL,
      kind TEXT NOT NULL,
      method TEXT NOT NULL,
      task TEXT,
      architecture TEXT NOT NULL,
      baseName TEXT,
      hiddenSize INTEGER NOT NULL,
      fingerprint TEXT,
      size INTEGER NOT NULL,
      parameters INTEGER NOT NULL,
      installedAt INTEGER NOT NULL,
      manifest TEXT NOT NULL,
      UNIQUE (name, version)
    );
    CREATE INDEX adaptersByDigest ON adapters (digest);
    CREATE TABLE languages (
      adapter INTEGER NOT NULL REFERENCES adapters (id) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      PRIMARY KEY (adapter, tag)
    ) WITHOUT ROWID;
    CREATE TABLE files (
      adapter INTEGER NOT NULL REFERENCES adapters (id) ON DELETE CASCADE,
      path TEXT NOT NULL,
      role TEXT NOT NULL,
      size INTEGER NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (adapter, path)
    ) WITHOUT ROWID;
    CREATE INDEX filesByDigest ON files (digest);
    CREATE TABLE models (
      name TEXT NOT NULL PRIMARY KEY,
      folder TEXT NOT NULL,
      isCopied INTEGER NOT NULL,
      architecture TEXT NOT NULL,
      hiddenSize INTEGER NOT NULL,
      layers INTEGER NOT NULL,
      fingerprint TEXT NOT NULL,
      addedAt INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE modelFiles (
      model TEXT NOT NULL REFERENCES models (name) ON DELETE CASCADE,
      path TEXT NOT NULL,
      size INTEGER NOT NULL,
      modified INTEGER NOT NULL,
      PRIMARY KEY (model, path)
    ) WITHOUT ROWID;
    """

  private static let trustSchema = """
    CREATE TABLE keys (
      key TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      addedAt INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE keyPrefixes (
      key TEXT NOT NULL REFERENCES keys (key) ON DELETE CASCADE,
      prefix TEXT NOT NULL,
      PRIMARY KEY (key, prefix)
    ) WITHOUT ROWID;
    CREATE TABLE signers (
      name TEXT NOT NULL,
      key TEXT NOT NULL,
      version TEXT NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (name, key)
    ) WITHOUT ROWID;
    """

  /// Rows are added and never changed, which the triggers see to.
  private static let historySchema = """
    CREATE TABLE history (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      action TEXT NOT NULL,
      name TEXT NOT NULL,
      version TEXT NOT NULL,
      digest TEXT NOT NULL,
      origin TEXT,
      undone INTEGER REFERENCES history (id),
      installedAt INTEGER NOT NULL
    );
    CREATE TABLE historyFiles (
      event INTEGER NOT NULL REFERENCES history (id),
      path TEXT NOT NULL,
      role TEXT NOT NULL,
      size INTEGER NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (event, path)
    ) WITHOUT ROWID;
    CREATE TRIGGER historyStays BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
    CREATE TRIGGER historyIsFixed BEFORE UPDATE ON history BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
    CREATE TRIGGER historyFilesStay BEFORE DELETE ON historyFiles BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
    CREATE TRIGGER historyFilesAreFixed BEFORE UPDATE ON historyFiles BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
    """

  /// What compositions are made of.
  private static let memberSchema = """
    CREATE TABLE members (
      composition INTEGER NOT NULL REFERENCES adapters (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      version TEXT NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (composition, name, version)
    ) WITHOUT ROWID;
    CREATE INDEX membersByName ON members (name, version);
    """

  /// Adapters that others offer elsewhere.
  private static let catalogueSchema = """
    CREATE TABLE catalogue (
      id TEXT NOT NULL PRIMARY KEY,
      publisher TEXT NOT NULL,
      task TEXT NOT NULL,
      subtask TEXT NOT NULL,
      base TEXT NOT NULL,
      method TEXT NOT NULL,
      url TEXT,
      sha256 TEXT
    ) WITHOUT ROWID;
    """
}

extension LinkedLibrary {
  /// What keeps the index. 3.39.2 mends CVE-2022-35737.
  public static let ofRegistry = LinkedLibrary(
    "SQLite", version: String(cString: sqlite3_libversion()), oldest: SemanticVersion(3, 39, 2))
}
