import HubBundle
import Foundation
import GRDB
import HubWords
import HubRegistry
import HubTesting
import Testing

@Suite struct IntegrityTests {
  let shop: Shop
  var registry: Registry { shop.registry }

  init() throws {
    shop = try Shop()
    try registry.install(from: Shop.fixture("classifier"))
  }

  private func kinds() throws -> [String] { try registry.verify().findings.map(\.kind) }

  private func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    chmod(path, 0o600)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o400)
  }

  @Test func everyFlippedBitIsFoundAndMended() throws {
    for path in shop.blobs() {
      let bytes = try contents(of: path)
      for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 5)) {
        var changed = bytes
        changed[position] ^= 1
        try overwrite(path, changed)
        #expect(try kinds().contains("modified"))
      }
      #expect(try !registry.install(from: Shop.fixture("classifier")).isNew)
      #expect(try kinds().isEmpty)
      #expect(try contents(of: path) == bytes)
    }
  }

  @Test func damageIsNotLoaded() throws {
    let adapter = try registry.resolve("a")
    let weights = try #require(adapter.manifest.files.first { $0.role == .weights })
    let path = try #require(shop.blobs().first { $0.hasSuffix(weights.digest.hex) })
    var bytes = try contents(of: path)
    bytes[bytes.count - 1] ^= 0x80
    try overwrite(path, bytes)
    #expect(code { _ = try adapter.weights() } == "registry/damaged-file")
    try FileManager.default.removeItem(atPath: path)
    #expect(code { _ = try adapter.weights() } == "registry/missing-file")
    #expect(try kinds() == ["missing"])
  }

  @Test func wrongModesAndStrangersAreFound() throws {
    let path = try #require(shop.blobs().first)
    #expect(chmod(path, 0o644) == 0)
    #expect(try kinds() == ["mode"])
    #expect(try !registry.install(from: Shop.fixture("classifier")).isNew)
    #expect(try kinds().isEmpty)
    try Data("x".utf8).write(to: URL(fileURLWithPath: registry.folder + "/blobs/sha256/stranger"))
    #expect(try kinds() == ["extra"])
  }

  @Test func registryThatOthersMayWriteIsRefused() throws {
    #expect(chmod(registry.folder, 0o777) == 0)
    #expect(code { _ = try registry.list() } == "registry/unsafe")
    #expect(code { try registry.install(from: Shop.fixture("fusion")) } == "registry/unsafe")
    #expect(try Registry(registry.folder, isShared: true).list().count == 1)
  }

  @Test func partsThatAreLinksOrOpenToOthersAreRefused() throws {
    let blobs = registry.folder + "/blobs"
    #expect(chmod(blobs, 0o770) == 0)
    #expect(code { _ = try registry.list() } == "registry/unsafe")
    #expect(chmod(blobs, 0o700) == 0)
    try FileManager.default.moveItem(atPath: blobs, toPath: shop.scratch("blobs"))
    try FileManager.default.createSymbolicLink(atPath: blobs, withDestinationPath: shop.scratch("blobs"))
    #expect(code { _ = try registry.list() } == "registry/unsafe")
  }

  @Test func aRegistryBelowAFolderOfOthersIsRefused() throws {
    let parent = try shop.scratch.folder("open/to/all")
    let inner = Registry(parent + "/registry")
    try inner.install(from: Shop.fixture("classifier"))
    #expect(chmod(shop.scratch("open"), 0o777) == 0)
    #expect(code { _ = try inner.list() } == "registry/unsafe")
    #expect(chmod(shop.scratch("open"), 0o1777) == 0)
    #expect(code { _ = try inner.list() } == nil)
  }

  /// A second name is one by which somebody may write.
  @Test func filesWithASecondNameAreNotLoaded() throws {
    let adapter = try registry.resolve("a")
    let weights = try #require(adapter.manifest.files.first { $0.role == .weights })
    let path = try #require(shop.blobs().first { $0.hasSuffix(weights.digest.hex) })
    try FileManager.default.linkItem(atPath: path, toPath: shop.scratch("second"))
    #expect(code { _ = try adapter.weights() } == "registry/damaged-file")
    try FileManager.default.removeItem(atPath: shop.scratch("second"))
    #expect(code { _ = try adapter.weights() } == nil)
  }

  /// Hostile SQL in the file is not followed: a view in place of a table, and a trigger that would change what is
  /// written.
  @Test func hostileSchemasAreDamage() throws {
    try DatabaseQueue(path: registry.folder + "/registry.sqlite").write { database in
      try database.execute(
        sql:
          "ALTER TABLE adapters RENAME TO hidden; CREATE VIEW adapters AS SELECT * FROM hidden WHERE load_extension('x')"
      )
    }
    #expect(code { _ = try registry.list() } == "registry/damaged-index")
  }

  @Test func damagedIndexIsSaidToBeDamaged() throws {
    let index = registry.folder + "/registry.sqlite"
    try Data("this is not a database, but a text of some length".utf8).write(to: URL(fileURLWithPath: index))
    #expect(code { _ = try registry.list() } == "registry/damaged-index")
    #expect(code { try registry.install(from: Shop.fixture("fusion")) } == "registry/damaged-index")
  }

  /// Whatever is in the index, the answer is an error or a list, and never a crash.
  @Test func mutatedIndexNeverCrashes() throws {
    let path = registry.folder + "/registry.sqlite"
    let bytes = try contents(of: path)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<150 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      try Data(changed).write(to: URL(fileURLWithPath: path))
      _ = try? registry.verify()
      _ = try? registry.list()
      _ = try? registry.resolve("a").weights()
    }
  }

  /// A writer that dies in the middle of a transaction leaves a journal; whoever comes next takes the writing back.
  @Test func interruptedTransactionIsTakenBack() throws {
    let index = registry.folder + "/registry.sqlite"
    let database = try DatabaseQueue(path: index)
    let dead = Registry(shop.scratch("dead"))
    try database.inDatabase { connection in
      try connection.execute(sql: "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE adapters SET name = 'half-written'")
      for row in 0..<2000 {
        try connection.execute(sql: "INSERT INTO languages (adapter, tag) VALUES (1, ?)", arguments: ["x\(row)"])
      }
      #expect(FileManager.default.fileExists(atPath: index + "-journal"))
      try FileManager.default.copyItem(atPath: registry.folder, toPath: dead.folder)
      try connection.execute(sql: "ROLLBACK")
    }
    #expect(try dead.list().map(\.reference) == ["a@1.0.0"])
    #expect(try dead.verify().findings.isEmpty)
    #expect(try dead.install(from: Shop.fixture("fusion")).isNew)
  }

  @Test func readingChangesNothing() throws {
    let before = shop.snapshot
    _ = try registry.list()
    _ = try registry.resolve("a").head()
    _ = try registry.verify()
    _ = try registry.collect(dryRun: true)
    #expect(shop.snapshot == before)
  }

  @Test func leftoversOfTheDeadAreRemovedByTheNextWriter() throws {
    let dead = registry.folder + "/scratch/dead"
    try FileManager.default.createDirectory(atPath: dead + "/bundle", withIntermediateDirectories: true)
    #expect(try registry.collect(dryRun: true).paths == [dead])
    try registry.install(from: Shop.fixture("fusion"))
    #expect(!FileManager.default.fileExists(atPath: dead))
  }

  /// The table that counts migrations is made before the others.
  @Test func anIndexThatWasJustBegunIsEmpty() throws {
    let begun = Registry(try shop.scratch.folder("begun"))
    try DatabaseQueue(path: begun.folder + "/registry.sqlite").write {
      try $0.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
    }
    #expect(try begun.list().isEmpty)
    #expect(try begun.verify().findings.isEmpty)
    try begun.install(from: Shop.fixture("classifier"))
    #expect(try begun.list().count == 1)
  }
}
