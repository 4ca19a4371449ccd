import Foundation
import GRDB
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import Testing

@Suite struct TrustTests {
  let shop: Shop
  let alice: SigningKey, mallory: SigningKey
  var registry: Registry { shop.registry }

  init() throws {
    shop = try Shop()
    (alice, mallory) = (try SigningKey(), try SigningKey())
  }

  private func install(_ path: String, as name: String? = nil, _ change: (inout Consent) -> Void = { _ in }) -> String?
  {
    var consent = Consent()
    change(&consent)
    return code { try registry.install(from: path, as: name.map { try AdapterName($0) }, consent) }
  }

  @Test func aNameOnceSignedStaysWithItsSigner() throws {
    let first = try shop.release("x", "1.0.0", signedBy: alice)
    #expect(install(first) == nil)
    #expect(try registry.signers(of: registry.resolve("x")) == [alice.publicKey])
    let before = shop.snapshot
    #expect(install(try shop.release("x", "1.1.0")) == "trust/other-signer")
    #expect(install(try shop.release("x", "1.1.0", signedBy: mallory)) == "trust/other-signer")
    #expect(code { _ = try registry.rehearseInstall(from: shop.release("x", "1.1.0")) } == "trust/other-signer")
    #expect(shop.snapshot == before)
    #expect(install(try shop.release("x", "1.1.0", signedBy: mallory, alice)) == nil)
    #expect(install(try shop.release("x", "1.2.0", signedBy: mallory)) == nil)
    #expect(install(try shop.release("x", "1.3.0", signedBy: alice)) == "trust/other-signer")
    #expect(install(try shop.release("x", "1.3.0", signedBy: alice)) { $0.allowsOtherSigner = true } == nil)
    #expect(try registry.list().map(\.reference) == ["x@1.3.0", "x@1.2.0", "x@1.1.0", "x@1.0.0"])
    #expect(try registry.verify().findings.isEmpty)
  }

  @Test func removingAnAdapterForgetsNothing() throws {
    #expect(install(try shop.release("x", "2.0.0", signedBy: alice)) == nil)
    try registry.remove("x")
    _ = try registry.collect()
    #expect(install(try shop.release("x", "3.0.0")) == "trust/other-signer")
    #expect(install(try shop.release("x", "1.0.0", signedBy: alice)) == "trust/rollback")
    #expect(install(try shop.release("x", "2.0.0", note: "other", signedBy: alice)) == "trust/rollback")
    #expect(install(try shop.release("x", "2.0.0", signedBy: alice)) == nil)
  }

  @Test func noVersionGoesBackWithoutAWord() throws {
    #expect(install(try shop.release("x", "1.9.0", signedBy: alice)) == nil)
    #expect(install(try shop.release("x", "1.10.0", signedBy: alice)) == nil)
    #expect(install(try shop.release("x", "1.10.0-rc.1", signedBy: alice)) == "trust/rollback")
    #expect(install(try shop.release("x", "1.8.0", signedBy: alice)) == "trust/rollback")
    #expect(install(try shop.release("x", "1.8.0", signedBy: alice)) { $0.allowsDowngrade = true } == nil)
    // The step back is not the new height.
    #expect(install(try shop.release("x", "1.9.5", signedBy: alice)) == "trust/rollback")
    // What is there already is not a step back.
    #expect(install(try shop.release("x", "1.9.0", signedBy: alice)) == nil)
    #expect(install(try shop.release("x", "1.9.0")) == nil)
    #expect(install(try shop.release("x", "1.11.0")) == "trust/other-signer")
    // Unsigned names have no history.
    #expect(install(try shop.release("y", "2.0.0")) == nil)
    #expect(install(try shop.release("y", "1.0.0")) == nil)
  }

  @Test func requiredSignaturesAreThoseOfTrustedKeys() throws {
    let (signed, unsigned) = (try shop.release("x", "1.0.0", signedBy: mallory), try shop.release("y", "1.0.0"))
    for path in [signed, unsigned] { #expect(install(path) { $0.requiresSignature = true } == "trust/untrusted") }
    try registry.trust(alice.publicKey, as: AdapterName("alice"))
    for path in [signed, unsigned] { #expect(install(path) { $0.requiresSignature = true } == "trust/untrusted") }
    #expect(install(try shop.release("x", "1.0.0", signedBy: alice)) { $0.requiresSignature = true } == nil)
    try registry.distrust("alice")
    #expect(
      install(try shop.release("x", "1.1.0", signedBy: alice)) { $0.requiresSignature = true } == "trust/untrusted")
  }

  /// Every bundle against every name: who owns a prefix is asked for what begins so, and for nothing else.
  @Test func prefixesBelongToTheirKeys() throws {
    try registry.trust(alice.publicKey, as: AdapterName("alice"), for: ["acme/", "lang/sw"])
    try registry.trust(mallory.publicKey, as: AdapterName("mallory"))
    let cases: [(name: String, key: SigningKey?, free: String?, required: String?)] = [
      ("acme/a", nil, "trust/untrusted", "trust/untrusted"), ("acme/b", mallory, "trust/untrusted", "trust/untrusted"),
      ("acme/c", alice, nil, nil),
      ("lang/sw", mallory, "trust/untrusted", "trust/untrusted"), ("lang/sw-x", alice, nil, nil),
      ("other/a", nil, nil, "trust/untrusted"), ("other/b", mallory, nil, nil),
      ("other/c", alice, nil, "trust/untrusted"),
    ]
    for (name, key, free, required) in cases {
      let path = try shop.release(name, "1.0.0", signedBy: [key].compactMap(\.self)) { _ in }
      #expect(install(path) { $0.requiresSignature = true } == required, "\(name)")
      #expect(install(path) == free, "\(name)")
    }
    // Neither under another name nor from another one.
    #expect(install(try shop.release("acme/d", "1.0.0"), as: "free") == "trust/untrusted")
    #expect(install(try shop.release("free", "1.0.0"), as: "acme/e") == "trust/untrusted")
    #expect(install(Shop.fixture("classifier"), as: "acme/f") == "trust/untrusted")
  }

  /// The word of the user comes before what was seen first.
  @Test func whoeverWasGivenANameMaySignIt() throws {
    #expect(install(try shop.release("acme/a", "1.0.0", signedBy: mallory)) == nil)
    try registry.trust(alice.publicKey, as: AdapterName("alice"), for: ["acme/"])
    #expect(install(try shop.release("acme/a", "1.1.0", signedBy: mallory)) == "trust/untrusted")
    #expect(install(try shop.release("acme/a", "0.9.0", signedBy: alice)) == "trust/rollback")
    #expect(install(try shop.release("acme/a", "1.1.0", signedBy: alice)) == nil)
  }

  @Test func aSignatureMayComeLater() throws {
    #expect(install(try shop.release("x", "1.0.0")) == nil)
    #expect(install(try shop.release("x", "1.0.0", signedBy: alice)) == nil)
    #expect(try registry.signers(of: registry.resolve("x")) == [alice.publicKey])
    #expect(try registry.verify().findings.isEmpty)
    #expect(install(try shop.release("x", "1.1.0")) == "trust/other-signer")
    let before = shop.snapshot
    #expect(install(try shop.release("x", "1.0.0", signedBy: alice)) == nil)
    #expect(shop.snapshot == before)
  }

  @Test func keysAreListedOnce() throws {
    #expect(try registry.trustedKeys().isEmpty)
    #expect(try !registry.exists)
    try registry.trust(alice.publicKey, as: AdapterName("alice"), for: ["b/", "a/", "a/"])
    #expect(try registry.trustedKeys().map(\.prefixes) == [["a/", "b/"]])
    #expect(code { try registry.trust(mallory.publicKey, as: AdapterName("alice")) } == "trust/key-exists")
    #expect(code { try registry.trust(alice.publicKey, as: AdapterName("other")) } == "trust/key-exists")
    #expect(code { try registry.distrust("alica") } == "trust/unknown-key")
    #expect(try registry.distrust("alice").key == alice.publicKey)
    #expect(try registry.trustedKeys().isEmpty)
  }

  /// A registry of the first schema is read as it is, and migrated when it is written.
  @Test func olderRegistriesAreReadAndMigrated() throws {
    #expect(install(try shop.release("x", "1.0.0")) == nil)
    try DatabaseQueue(path: registry.folder + "/registry.sqlite").write { database in
      let newer = try String.fetchAll(database, sql: "SELECT identifier FROM grdb_migrations WHERE identifier <> '1'")
      #expect(!newer.isEmpty)
      try database.execute(sql: "DELETE FROM grdb_migrations WHERE identifier <> '1'")
      let first: Set = ["adapters", "languages", "files", "models", "modelFiles", "grdb_migrations"]
      for name in try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
      where !first.contains(name) && !name.hasPrefix("sqlite_") {
        try database.execute(sql: "DROP TABLE \(name)")
      }
      try database.execute(sql: "ALTER TABLE modelFiles DROP COLUMN digest")
    }
    #expect(try registry.list().map(\.reference) == ["x@1.0.0"])
    #expect(try registry.trustedKeys().isEmpty)
    #expect(try registry.signers(of: registry.resolve("x")).isEmpty)
    #expect(
      try registry.search(["x"], limit: 9).installed.count == 1 && registry.search(["y"], limit: 9).installed.isEmpty)
    #expect(install(try shop.release("x", "1.1.0", signedBy: alice)) == nil)
    #expect(
      try registry.search(["x"], limit: 9).installed.map(\.reference) == ["x@1.1.0", "x@1.0.0"]
        && registry.verify().findings.isEmpty)
    #expect(install(try shop.release("x", "1.2.0")) == "trust/other-signer")
  }
}
