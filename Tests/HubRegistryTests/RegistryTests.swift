import Foundation
import HubArchive
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import HubWeights
import Testing

@Suite struct RegistryTests {
  let shop: Shop
  var registry: Registry { shop.registry }

  init() throws { shop = try Shop() }

  @Test func absentRegistryReadsAsEmptyAndStaysAbsent() throws {
    #expect(try registry.list().isEmpty)
    #expect(try registry.baseModels().isEmpty)
    #expect(try registry.verify().findings.isEmpty)
    #expect(try registry.collect().paths.isEmpty)
    #expect(code { _ = try registry.resolve("ner") } == "registry/unknown-adapter")
    #expect(!FileManager.default.fileExists(atPath: registry.folder))
  }

  @Test func anAdapterGoesThroughItsWholeLife() throws {
    let installation = try registry.install(from: Shop.fixture("classifier"), as: AdapterName("task/sentiment"))
    #expect(installation.isNew)
    let adapter = try registry.resolve("task/sentiment")
    #expect(adapter.digest == installation.adapter.digest)
    #expect(adapter.manifest.kind == .task)
    #expect(adapter.manifest.method == "seq_bn")
    #expect(adapter.manifest.labels == ["LABEL_0", "LABEL_1", "LABEL_2"])
    #expect(adapter.manifest.base.architecture == "bert")
    #expect(adapter.manifest.source?["format"] == "adapterhub")
    #expect(try adapter.config().integer("reduction_factor") == 16)
    #expect(try adapter.weights().tensors.reduce(0) { $0 + $1.count } == adapter.parameterCount)
    #expect(try adapter.head()?.configuration.string("head_type") == "classification")
    #expect(try adapter.head()?.weights["linear.0.weight"] != nil)
    #expect(try registry.list().map(\.reference) == ["task/sentiment@1.0.0"])
    #expect(try registry.verify().findings.isEmpty)
    #expect(try registry.verify().files == 5)

    try registry.remove("task/sentiment")
    #expect(try registry.list().isEmpty)
    #expect(shop.blobs().count == 5)
    #expect(try registry.collect(dryRun: true).paths.count == 5)
    #expect(shop.blobs().count == 5)
    #expect(try registry.collect().paths.count == 5)
    #expect(shop.blobs().isEmpty)
    #expect(try registry.install(from: Shop.fixture("classifier")).isNew)
  }

  @Test func installingTwiceChangesNothing() throws {
    let first = try registry.install(from: Shop.fixture("classifier"))
    let before = shop.snapshot
    let second = try registry.install(from: Shop.fixture("classifier"))
    #expect(!second.isNew)
    #expect(second.adapter.digest == first.adapter.digest)
    #expect(shop.snapshot == before)
  }

  @Test func anotherAdapterOfTheSameNameAndVersionIsRefused() throws {
    let name = try AdapterName("x")
    try registry.install(from: Shop.fixture("classifier"), as: name)
    let before = shop.snapshot
    #expect(code { try registry.install(from: Shop.fixture("fusion"), as: name) } == "registry/version-exists")
    #expect(shop.snapshot == before)
  }

  @Test func fusionIsNamedByItsMembersAndFoundByThem() throws {
    let fusion = try registry.install(from: Shop.fixture("fusion")).adapter
    #expect(fusion.name.text == "a+b")
    #expect(fusion.manifest.kind == .fusion)
    #expect(fusion.manifest.members.map(\.text) == ["a", "b"])
    #expect(try registry.resolveFusion(members: ["a", "b"]).digest == fusion.digest)
    #expect(try registry.resolveFusion(members: ["a", "b"], name: "a+b").digest == fusion.digest)
    #expect(code { _ = try registry.resolveFusion(members: ["b", "a"]) } == "registry/unknown-adapter")
    try registry.install(from: Shop.fixture("fusion"), as: AdapterName("other"))
    #expect(code { _ = try registry.resolveFusion(members: ["a", "b"]) } == "registry/ambiguous")
    #expect(try registry.resolveFusion(members: ["a", "b"], name: "other").name.text == "other")
  }

  @Test func referencesMeanOneAdapter() throws {
    let adapter = try registry.install(from: Shop.fixture("classifier"), as: AdapterName("lang/sw")).adapter
    for text in ["lang/sw", "lang/sw@1.0.0", "lang/sw@sha256:\(adapter.digest.short)", "lang/sw@\(adapter.digest)"] {
      #expect(try registry.resolve(text).digest == adapter.digest)
    }
    #expect(code { _ = try registry.resolve("lang/sw@2.0.0") } == "registry/unknown-adapter")
    #expect(code { _ = try registry.resolve("lang/sw@sha256:000000000000") } == "registry/unknown-adapter")
    for text in ["", "lang/sw@", "lang/sw@1", "lang/sw@sha256:00", "../x", "a@b@c"] {
      #expect(code { _ = try AdapterReference(text) } == "reference/malformed")
    }
    do {
      _ = try registry.resolve("lang/sv")
    } catch let failure as Failure {
      #expect(failure.hint == "did you mean lang/sw?")
    }
  }

  @Test func listIsFiltered() throws {
    try registry.install(from: Shop.fixture("classifier"), as: AdapterName("task/a"))
    try registry.install(from: Shop.fixture("fusion"), as: AdapterName("mix"))
    func names(_ filter: AdapterFilter) throws -> [String] { try registry.list(filter).map(\.name.text) }
    #expect(try names(AdapterFilter()) == ["mix", "task/a"])
    #expect(try registry.list(limit: 1).map(\.name.text) == ["mix"])
    #expect(try names(AdapterFilter(kind: .fusion)) == ["mix"])
    #expect(try names(AdapterFilter(method: "seq_bn")) == ["task/a"])
    #expect(try names(AdapterFilter(base: "bert")) == ["mix", "task/a"])
    #expect(try names(AdapterFilter(base: "parity/bert", namePrefix: "task/")) == ["task/a"])
    #expect(try names(AdapterFilter(language: "en")).isEmpty)
    #expect(try names(AdapterFilter(task: "'; DROP TABLE adapters; --")).isEmpty)
  }

  @Test func bundlesInstallFromFolderAndArchiveAlike() throws {
    let parcel = try Parcel.open(Shop.fixture("classifier"))
    let packed = shop.scratch("a.adapter")
    #expect(try parcel.pack(to: packed) == parcel.bundle.digest)
    let folder = try Bundle.unpack(file: packed, into: shop.scratch("unpacked")).folder
    #expect(try registry.install(from: packed).isNew)
    #expect(try !registry.install(from: folder).isNew)
    #expect(try !registry.install(from: Shop.fixture("classifier")).isNew)
    #expect(try registry.resolve("a").digest == parcel.bundle.digest)
  }

  @Test(arguments: ["", "a folder/"]) func archivesOfForeignFoldersInstall(_ prefix: String) throws {
    let folder = Shop.fixture("classifier")
    let packed = shop.scratch("classifier.zip")
    let writer = try ArchiveWriter(file: packed, compression: .gzip)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      try writer.add(EntryName(prefix + name), bytes: contents(of: "\(folder)/\(name)"))
    }
    try writer.finish()
    let digest = try registry.install(from: packed).adapter.digest
    #expect(try digest == Parcel.open(folder).bundle.digest)
  }

  @Test func headWithoutItsAdapterIsRefused() throws {
    let folder = try shop.scratch.folder("head")
    for name in ["head_config.json", "model_head.safetensors"] {
      try FileManager.default.copyItem(atPath: Shop.fixture("classifier/\(name)"), toPath: "\(folder)/\(name)")
    }
    #expect(code { try registry.install(from: folder) } == "foreign/unconvertible")
  }

  @Test func namesThatCannotBeNeedAnother() throws {
    let folder = try shop.adapter(named: "qa/squad@ukp")
    do {
      try registry.install(from: folder)
      Issue.record("the name was accepted")
    } catch let failure as Failure {
      #expect(failure.code == .malformedName)
      #expect(failure.hint == "give it another name with --as")
    }
    #expect(code { try registry.install(from: folder, as: AdapterName("squad")) } == nil)
  }

  @Test func rehearsalWritesNothing() throws {
    #expect(try registry.rehearseInstall(from: Shop.fixture("classifier")).isNew)
    #expect(!FileManager.default.fileExists(atPath: registry.folder))
  }

  @Test func nothingIsInstalledFromWhatIsNoAdapter() throws {
    try registry.install(from: Shop.fixture("classifier"))
    let before = shop.snapshot
    let junk = try shop.scratch.file("junk.zip", Array("PK not really".utf8))
    #expect(code { try registry.install(from: junk) } != nil)
    #expect(code { try registry.install(from: try shop.scratch.folder("empty")) } == "registry/nothing-to-install")
    #expect(code { try registry.install(from: shop.scratch("absent")) } == "file/not-found")
    #expect(shop.snapshot == before)
  }

  @Test func truncatedArchivesLeaveTheRegistryAsItWas() throws {
    let packed = shop.scratch("a.adapter")
    try Parcel.open(Shop.fixture("classifier")).pack(to: packed)
    let bytes = try contents(of: packed)
    try registry.install(from: Shop.fixture("fusion"))
    let before = shop.snapshot
    for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
      let cut = try shop.scratch.file("cut.adapter", Array(bytes.prefix(count)))
      #expect(code { try registry.install(from: cut) } != nil, "\(count) bytes")
    }
    #expect(shop.snapshot == before)
  }
}
