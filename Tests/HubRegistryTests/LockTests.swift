import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import Testing

@Suite struct LockTests {
  let shop: Shop, other: Shop
  var registry: Registry { shop.registry }

  init() throws { (shop, other) = (try Shop(), try Shop()) }

  /// What is locked here is installed there, to the bit, whatever else is offered and in whatever form.
  @Test func aLockMakesTheSameElsewhere() throws {
    let key = try SigningKey()
    let folder = try shop.scratch.folder("offers")
    for (name, version, keys) in [("x", "1.0.0", [key]), ("x", "1.1.0", [key]), ("y", "1.0.0", [])] {
      try Bundle.pack(
        folder: shop.release(name, version, signedBy: keys) { _ in }, to: "\(folder)/\(name)-\(version).adapter")
    }
    try FileManager.default.copyItem(atPath: Shop.fixture("classifier"), toPath: folder + "/foreign")
    try shop.scratch.file("offers/notes.txt", Array("nothing".utf8))
    try registry.install(from: folder + "/x-1.0.0.adapter", as: AdapterName("mine"))
    try registry.install(from: folder + "/foreign")
    let lock = try registry.lock()
    let again = try Lock(JSON(parsing: lock.json.text()))
    #expect(again.json.text() == lock.json.text())
    let offers = try Offers(in: [folder])
    #expect(offers.offers.count == 4 && offers.skipped.count == 1)
    #expect(try other.registry.install(again, from: offers).map(\.isNew) == [true, true])
    #expect(
      try other.registry.list().map { "\($0.reference) \($0.digest)" }
        == registry.list().map { "\($0.reference) \($0.digest)" })
    #expect(try other.registry.signers(of: other.registry.resolve("mine")) == [key.publicKey])
    #expect(try other.registry.install(again, from: Offers(in: [])).map(\.isNew) == [false, false])
    #expect(try other.registry.lock().json.text() == lock.json.text())
  }

  @Test func whatIsMissingOrUnsignedInstallsNothing() throws {
    let key = try SigningKey()
    let signed = try shop.release("x", "1.0.0", signedBy: [key]) { _ in }
    try registry.install(from: signed)
    try registry.install(from: shop.release("a", "1.0.0"))
    let lock = try registry.lock()
    #expect(code { try other.registry.install(lock, from: Offers(in: [signed])) } == "lock/missing")
    let only = try registry.lock([AdapterReference("x")])
    try FileManager.default.removeItem(atPath: signed + "/signatures")
    #expect(code { try other.registry.install(only, from: Offers(in: [signed])) } == "lock/other-content")
    #expect(try other.registry.list().isEmpty)
  }

  @Test func aLockHoldsWhatAnAdapterWasTrainedWith() throws {
    let english = Manifest.Dependency(name: try AdapterName("en"), range: "^1", role: "language")
    try registry.install(from: shop.release("ner", "1.0.0") { $0.dependencies = [english] })
    #expect(code { _ = try registry.lock([AdapterReference("ner")]) } == "registry/unknown-adapter")
    for version in ["1.0.0", "1.1.0", "2.0.0"] { try registry.install(from: shop.release("en", version)) }
    #expect(
      try registry.lock([AdapterReference("ner")]).entries.map { "\($0.name)@\($0.version)" } == [
        "ner@1.0.0", "en@1.1.0",
      ])
  }

  @Test(arguments: [
    ("{}", "json/unexpected"), (#"{"format": "dovetail-lock/2", "adapters": []}"#, "lock/malformed"),
    (
      #"{"format": "dovetail-lock/1", "adapters": [{"name": "../x", "version": "1.0.0", "digest": "00"}]}"#,
      "name/malformed"
    ),
    (
      #"{"format": "dovetail-lock/1", "adapters": [{"name": "x", "version": "1.0.0", "digest": "sha256:../../x"}]}"#,
      "digest/malformed"
    ),
    (#"{"format": "dovetail-lock/1", "adapters": [{"name": "x", "version": "1.0.0"}]}"#, "json/unexpected"),
  ])
  func otherFilesAreNoLocks(_ text: String, _ expected: String) {
    #expect(code { _ = try Lock(JSON(parsing: text)) } == expected)
  }

  @Test func higherVersionsOfTheSameAdapterAreUpgrades() throws {
    try registry.install(from: shop.release("x", "1.0.0"), as: AdapterName("mine"))
    try registry.install(from: shop.release("y", "1.0.0"))
    try registry.install(from: shop.release("y", "3.0.0"))
    let offers = try Offers(in: [
      shop.release("x", "1.2.0"), shop.release("x", "1.10.0"), shop.release("x", "2.0.0-rc.1"),
      shop.release("y", "2.0.0"),
      shop.release("z", "2.0.0"), shop.release("x", "9.0.0") { $0.base.hiddenSize = 8 },
      shop.release("x", "8.0.0") { $0.kind = .language },
    ])
    #expect(
      try registry.upgrades(from: offers).map { "\($0.installed.reference) \($0.offer.manifest.version)" } == [
        "mine@1.0.0 1.10.0"
      ])
  }
}
