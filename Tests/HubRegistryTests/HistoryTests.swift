import Foundation
import GRDB
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import HubWeights
import Testing

@Suite struct HistoryTests {
  let shop: Shop
  let key: SigningKey
  var registry: Registry { shop.registry }
  var index: String { registry.folder + "/registry.sqlite" }

  init() throws { (shop, key) = (try Shop(), try SigningKey()) }

  private func events() throws -> [String] {
    try registry.history().reversed().map { "\($0.action.rawValue) \($0.name)@\($0.version)" }
  }
  private func installed() throws -> [String] { try registry.list().map { "\($0.reference) \($0.digest)" } }

  @Test func whatHappenedIsRecordedOnce() throws {
    #expect(try registry.history().isEmpty)
    let release = try shop.release("x", "1.0.0")
    try registry.install(from: release)
    try registry.install(from: release)
    _ = try registry.rehearseInstall(from: release, as: AdapterName("y"))
    #expect(code { try registry.install(from: shop.release("x", "1.0.0", note: "other")) } != nil)
    try registry.remove("x")
    #expect(try events() == ["install x@1.0.0", "remove x@1.0.0"])
    #expect(try registry.history(limit: 1).map(\.action) == [.remove])
    #expect(try registry.history().last?.origin == release)
  }

  @Test(arguments: [
    "DELETE FROM history", "UPDATE history SET name = 'y'", "DELETE FROM historyFiles",
    "UPDATE historyFiles SET size = 1",
  ])
  func historyIsOnlyAddedTo(_ sql: String) throws {
    try registry.install(from: Shop.fixture("classifier"))
    try registry.remove("a")
    #expect(throws: DatabaseError.self) { try DatabaseQueue(path: index).write { try $0.execute(sql: sql) } }
    #expect(try events().count == 2)
  }

  @Test func removalsAreUndoneOneByOne() throws {
    for name in ["x", "y"] {
      try registry.install(from: shop.release(name, "1.0.0", signedBy: [key]) { _ in }, as: AdapterName("my-" + name))
    }
    let before = try installed()
    for name in ["my-x", "my-y"] { try registry.remove(name) }
    #expect(try registry.undoRemoval().name.text == "my-y")
    #expect(try registry.undoRemoval().name.text == "my-x")
    #expect(code { try registry.undoRemoval() } == "registry/nothing-to-undo")
    #expect(try installed() == before)
    #expect(try registry.signers(of: registry.resolve("my-x")) == [key.publicKey])
    #expect(try registry.verify().findings.isEmpty)
    #expect(try registry.resolve("my-x").weights().tensors.count > 0)
    #expect(try events().suffix(2) == ["undo my-y@1.0.0", "undo my-x@1.0.0"])
    try registry.remove("my-x")
    #expect(try registry.undoRemoval().name.text == "my-x")
  }

  @Test func nothingComesBackFromCollectedFilesOrOverAnother() throws {
    try registry.install(from: shop.release("x", "1.0.0"))
    try registry.remove("x")
    try registry.install(from: shop.release("x", "1.0.0", note: "other"))
    #expect(code { try registry.undoRemoval() } == "registry/version-exists")
    try registry.remove("x")
    _ = try registry.collect()
    #expect(code { try registry.undoRemoval() } == "registry/missing-file")
    #expect(try registry.list().isEmpty)
  }

  @Test func aWholeIndexIsNotRepaired() throws {
    #expect(try registry.repair().restored.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: registry.folder))
    try registry.install(from: Shop.fixture("classifier"))
    let before = shop.snapshot
    #expect(try registry.repair().damagedIndex == nil)
    #expect(shop.snapshot == before)
  }

  /// Without any index an adapter has the name that its author gave it, and its signatures are found by themselves.
  @Test(arguments: [nil, "this is not a database, but a text of some length", ""]) func aLostIndexIsMadeAgain(
    _ text: String?
  ) throws {
    try registry.install(from: shop.release("x", "1.0.0", signedBy: [key]) { _ in })
    try registry.install(from: shop.release("x", "2.0.0", signedBy: [key]) { _ in })
    try registry.install(from: Shop.fixture("fusion"))
    let before = try installed()
    if let text {
      try Data(text.utf8).write(to: URL(fileURLWithPath: index))
    } else {
      try FileManager.default.removeItem(atPath: index)
    }
    if text == nil { #expect(try registry.verify().findings.map(\.kind) == ["index"]) }
    // Until then nothing is deleted or written, which would bury the files.
    let expected = text?.isEmpty == false ? "registry/damaged-index" : "registry/missing-index"
    #expect(code { _ = try registry.collect() } == expected)
    #expect(code { _ = try registry.collect(dryRun: true) } == expected)
    #expect(code { try registry.install(from: Shop.fixture("classifier")) } == expected)
    #expect(code { try registry.trust(key.publicKey, as: AdapterName("me")) } == expected)
    let repair = try registry.repair()
    #expect(repair.lost.isEmpty && repair.restored.count == 3)
    #expect((repair.damagedIndex != nil) == (text != nil))
    #expect(try installed() == before)
    #expect(try registry.verify().findings.isEmpty)
    #expect(try registry.signers(of: registry.resolve("x")) == [key.publicKey])
    #expect(code { try registry.install(from: shop.release("x", "3.0.0")) } == "trust/other-signer")
    #expect(
      code { try registry.install(from: shop.release("x", "1.5.0", signedBy: [key]) { _ in }) } == "trust/rollback")
    #expect(try registry.repair().restored.isEmpty)
  }

  /// What a damaged index still tells is kept: names, keys, aliases, what happened, and what was removed.
  @Test func whatADamagedIndexTellsIsKept() throws {
    try registry.install(from: shop.release("x", "1.0.0", signedBy: [key]) { _ in }, as: AdapterName("mine"))
    try registry.install(from: shop.release("gone", "1.0.0"))
    try registry.remove("gone")
    try registry.trust(key.publicKey, as: AdapterName("me"), for: ["my/"])
    try registry.add(alias: AdapterReference("mood"), of: AdapterName("mine"))
    let (before, history) = (try installed(), try events())
    try DatabaseQueue(path: index).write {
      try $0.execute(sql: "UPDATE adapters SET manifest = 'x'; UPDATE adapters SET size = 'many'")
    }
    #expect(code { _ = try registry.list() } == "registry/damaged-index")
    let repair = try registry.repair()
    #expect(repair.lost.isEmpty && repair.damagedIndex != nil)
    #expect(try installed() == before)
    #expect(try registry.resolve("mood").name.text == "mine")
    #expect(try registry.trustedKeys().map(\.prefixes) == [["my/"]])
    #expect(try events() == history + ["repair mine@1.0.0"])
    #expect(try registry.undoRemoval().name.text == "gone")
    #expect(try registry.verify().findings.isEmpty)
  }

  @Test func whatHasLostAFileIsSaidToBeLost() throws {
    let adapter = try registry.install(from: Shop.fixture("classifier")).adapter
    let weights = try #require(adapter.manifest.files.first { $0.role == .weights }).digest
    try FileManager.default.removeItem(atPath: try #require(shop.blobs().first { $0.hasSuffix(weights.hex) }))
    try FileManager.default.removeItem(atPath: index)
    let repair = try registry.repair()
    #expect(repair.restored.isEmpty)
    #expect(repair.lost.map(\.code.name) == ["registry/missing-file"])
    #expect(repair.lost.first?.subject?.hasPrefix("a@1.0.0") == true)
  }
}
