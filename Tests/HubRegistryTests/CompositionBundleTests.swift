import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import Testing

@Suite struct CompositionBundleTests {
  /// Where compositions are made, and where they arrive.
  let shop: Shop, other: Shop
  var registry: Registry { other.registry }

  init() throws {
    (shop, other) = (try Shop(), try Shop())
    for name in ["sw", "ner"] { try shop.registry.install(from: shop.release(name, "1.0.0")) }
  }

  /// A packed composition of what the shop has installed.
  private func packed(
    _ setup: String = "stack(sw@1.0.0, ner@1.0.0)", named name: String = "swahili-ner", signedBy key: SigningKey? = nil
  ) throws -> String {
    let pinned = PinnedComposition(try Composition(parsing: setup))
    let members = try pinned.setup.leaves.map { try shop.registry.resolve($0) }
    var manifest = Manifest(
      name: try AdapterName(name), kind: .composition, method: "composition", base: members[0].manifest.base)
    manifest.dependencies = members.map {
      Manifest.Dependency(Manifest.Member(name: $0.name, version: $0.version, digest: $0.digest))
    }
    var builder = BundleBuilder(manifest: manifest, config: pinned.json, weights: [])
    builder.members = try members.map(shop.registry.packable)
    let file = shop.scratch("\(name).adapter")
    try Parcel(builder).pack(to: file)
    if let key { try HubBundle.Bundle.sign(file, with: key) }
    return file
  }

  private func installed() throws -> [String] { try registry.list().map { "\($0.reference) \($0.digest.short)" } }

  @Test func oneFileBringsAllItsMembers() throws {
    let result = try registry.install(from: packed())
    #expect(
      result.isNew && result.members.map(\.adapter.reference) == ["ner@1.0.0", "sw@1.0.0"]
        && result.members.allSatisfy(\.isNew))
    #expect(try registry.list().map(\.reference) == ["ner@1.0.0", "sw@1.0.0", "swahili-ner@1.0.0"])
    #expect(try registry.resolve("ner").digest == shop.registry.resolve("ner").digest)
    #expect(try registry.expanded("swahili-ner").setup == .stack("sw@1.0.0", "ner@1.0.0"))
    #expect(try registry.history().map(\.name.text) == ["swahili-ner", "sw", "ner"])
    let before = try (installed(), other.blobs())
    let again = try registry.install(from: packed())
    #expect(!again.isNew && !again.members.contains(where: \.isNew))
    #expect(try (installed(), other.blobs()) == before)
    #expect(try registry.verify().findings.isEmpty)
  }

  @Test func membersThatAreThereAreUsed() throws {
    try registry.install(from: shop.release("ner", "1.0.0"))
    let result = try registry.install(from: packed(), as: AdapterName("mine"))
    #expect(result.members.map(\.isNew) == [false, true] && result.adapter.reference == "mine@1.0.0")
    #expect(try registry.history().count == 3)
    // The same files twice are the same blobs.
    #expect(
      other.blobs().count == Set(try registry.list().flatMap { [$0.digest] + $0.manifest.files.map(\.digest) }).count)
  }

  @Test func aMembersNameThatIsTakenRefusesAllOfIt() throws {
    try registry.install(from: shop.release("ner", "1.0.0", note: "another one"))
    let before = other.snapshot
    #expect(code { try registry.install(from: packed()) } == "registry/version-exists")
    #expect(code { try registry.install(from: packed(), as: AdapterName("sw")) } == "registry/version-exists")
    #expect(code { _ = try registry.rehearseInstall(from: packed()) } == "registry/version-exists")
    #expect(other.snapshot.filter { !$0.key.hasPrefix("scratch") } == before.filter { !$0.key.hasPrefix("scratch") })
    #expect(try registry.list().count == 1)
  }

  @Test func membersStayAsLongAsTheComposition() throws {
    try registry.install(from: packed())
    try registry.install(from: packed("ner@1.0.0", named: "alone"))
    let before = try installed()
    #expect(code { try registry.remove("sw") } == "registry/needed")
    #expect(try registry.collect().paths.isEmpty)
    for name in ["swahili-ner", "sw"] { try registry.remove(name) }
    #expect(code { try registry.remove("ner") } == "registry/needed")
    for _ in 0..<2 { try registry.undoRemoval() }
    #expect(try installed() == before)
    #expect(code { try registry.remove("sw") } == "registry/needed")
    #expect(try registry.verify().findings.isEmpty)
  }

  /// A composition brings nothing in that would not come in alone.
  @Test func membersFollowTheRulesOfSignatures() throws {
    let (author, stranger) = (try SigningKey(), try SigningKey())
    try registry.install(from: shop.release("ner", "0.9.0", signedBy: author))
    #expect(code { try registry.install(from: packed()) } == "trust/other-signer")
    try registry.trust(author.publicKey, as: AdapterName("author"), for: ["ner"])
    #expect(code { try registry.install(from: packed(signedBy: author)) } == "trust/untrusted")
    try shop.registry.install(from: shop.release("ner", "1.1.0", signedBy: author))
    try shop.registry.install(from: shop.release("sw", "1.1.0", signedBy: author))
    let signed = try packed("stack(sw@1.1.0, ner@1.1.0)", signedBy: stranger)
    var consent = Consent()
    consent.requiresSignature = true
    #expect(code { try registry.install(from: signed, as: nil, consent) } == "trust/untrusted")
    try registry.trust(stranger.publicKey, as: AdapterName("packer"))
    try registry.install(from: signed, as: nil, consent)
    #expect(try registry.signers(of: registry.resolve("ner")) == [author.publicKey])
    #expect(try registry.signers(of: registry.resolve("swahili-ner")) == [stranger.publicKey])
  }

  /// Whatever the order in which a composition lists two versions, the higher one is remembered.
  @Test func versionsInACompositionDoNotGoBack() throws {
    let author = try SigningKey()
    for version in ["1.1.0", "2.0.0"] {
      try shop.registry.install(from: shop.release("ner", version, signedBy: author))
    }
    try registry.install(from: packed("average(ner@2.0.0, ner@1.1.0)"))
    #expect(code { try registry.install(from: shop.release("ner", "1.5.0", signedBy: author)) } == "trust/rollback")
    #expect(code { try registry.install(from: shop.release("ner", "2.1.0", signedBy: author)) } == nil)
  }

  @Test func aLockOfACompositionIsMetByItsFile() throws {
    let file = try packed()
    try registry.install(from: file)
    let lock = try registry.lock([AdapterReference("swahili-ner")])
    #expect(lock.entries.map(\.name.text).sorted() == ["ner", "sw", "swahili-ner"])
    let third = try Shop()
    let results = try third.registry.install(lock, from: Offers(in: [file]))
    #expect(
      results.map(\.adapter.reference) == ["swahili-ner@1.0.0"]
        && results[0].members.map(\.adapter.reference) == ["ner@1.0.0", "sw@1.0.0"])
    #expect(try third.registry.lock().json.text() == registry.lock().json.text())
    let only = try registry.lock([AdapterReference("ner")])
    #expect(code { try Shop().registry.install(only, from: Offers(in: [file])) } == "lock/missing")
  }

  @Test func aLostMemberIsFoundAndMended() throws {
    try registry.install(from: packed())
    try FileManager.default.removeItem(atPath: registry.folder + "/registry.sqlite")
    let ner = try registry.repairing(without: shop.registry.resolve("ner").digest)
    #expect(ner.contains("swahili-ner@1.0.0") && !ner.contains("ner@1.0.0"))
    #expect(
      try registry.verify().findings.contains { $0.subject == "swahili-ner@1.0.0" && $0.message.contains("ner@1.0.0") })
    #expect(code { _ = try registry.expanded("swahili-ner") } == "registry/missing-member")
    try registry.install(from: packed())
    #expect(try registry.expanded("swahili-ner").setup.leaves.count == 2 && registry.verify().findings.isEmpty)
  }

  /// A composition remembers what its members are called.
  @Test func membersFoundAgainHaveTheNamesThatTheirCompositionGivesThem() throws {
    try shop.registry.install(from: shop.release("author", "1.0.0"), as: AdapterName("mine"))
    try registry.install(from: packed("stack(mine@1.0.0, ner@1.0.0)"))
    let before = try installed()
    try FileManager.default.removeItem(atPath: registry.folder + "/registry.sqlite")
    _ = try registry.repair()
    #expect(try installed() == before && registry.verify().findings.isEmpty)
  }

  @Test func compositionsStandInForAdapters() throws {
    try registry.install(from: packed())
    #expect(
      try registry.expanded(Composition(parsing: "drop(0, swahili-ner)")).setup.description
        == "drop(0, stack(sw@1.0.0, ner@1.0.0))")
    #expect(try registry.expanded(.stack("de", "swahili-ner")).setup == .stack("de", "sw@1.0.0", "ner@1.0.0"))
    #expect(
      try registry.expanded(.fuse("swahili-ner", "x", name: "f")).setup.description
        == "fuse(stack(sw@1.0.0, ner@1.0.0), x, name=f)")
    #expect(try registry.expanded("absent").setup == "absent")
  }
}

extension Registry {
  /// Removes a blob and makes the index again; returns what came back.
  fileprivate func repairing(without digest: Digest) throws -> [String] {
    try FileManager.default.removeItem(atPath: "\(folder)/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)")
    return try repair().restored.map(\.reference)
  }
}
