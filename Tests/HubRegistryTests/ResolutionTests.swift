import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import Testing

@Suite struct ResolutionTests {
  let shop: Shop
  var registry: Registry { shop.registry }

  init() throws { shop = try Shop() }

  private func install(_ name: String, _ version: String, _ change: (inout Manifest) throws -> Void = { _ in }) throws {
    try registry.install(from: shop.release(name, version, change))
  }

  @Test func rangesMeanTheHighestWithin() throws {
    for version in ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0"] { try install("x", version) }
    for (text, version) in [
      ("x", "2.0.0"), ("x@^1", "1.10.0"), ("x@~1.2", "1.2.0"), ("x@>=1,<1.10", "1.2.0"), ("x@*", "2.0.0"),
      ("x@>=2.0.0-rc.1,<2.0.0", "2.0.0-rc.1"),
    ] {
      #expect(try registry.resolve(text).version.description == version, "\(text)")
    }
    #expect(code { _ = try registry.resolve("x@^3") } == "registry/unknown-adapter")
    #expect(code { try registry.remove("x@^1") } == "registry/ambiguous")
    try registry.remove("x@^2")
    #expect(try registry.list().count == 4)
  }

  @Test func whatSpeaksAgainstAnAdapterIsSaid() throws {
    try install("x", "1.0.0")
    try install("x", "1.1.0") { $0.languages = ["sw"] }
    try install("x", "2.0.0")
    let resolution = try registry.resolution(of: AdapterReference("x@^1"), AdapterFilter(language: "sw"))
    #expect(resolution.chosen.version.description == "1.1.0")
    let said = resolution.candidates.map { "\($0.adapter.version): \($0.objection ?? "-")" }
    #expect(said == ["1.1.0: -", "2.0.0: the version is not within ^1", "1.0.0: the language is not sw"])
    #expect(
      try registry.resolution(of: AdapterReference("x")).candidates.map(\.objection) == [
        nil, "2.0.0 is higher", "2.0.0 is higher",
      ])
    do {
      _ = try registry.resolution(of: AdapterReference("x"), AdapterFilter(language: "de", task: "ner"))
      Issue.record("found")
    } catch let failure as Failure {
      #expect(failure.code == .unknownAdapter)
      #expect(failure.hint?.contains("x@1.1.0") == true && failure.hint?.contains("the language is not de") == true)
    }
  }

  @Test func filtersAloneNeverGuess() throws {
    try install("a", "1.0.0") { $0.task = "ner" }
    try install("a", "1.1.0") { $0.task = "ner" }
    #expect(try registry.resolution(of: nil, AdapterFilter(task: "ner")).chosen.version.description == "1.1.0")
    try install("b", "1.0.0") { $0.task = "ner" }
    #expect(code { _ = try registry.resolution(of: nil, AdapterFilter(task: "ner")) } == "registry/ambiguous")
    #expect(code { _ = try registry.resolution(of: nil, AdapterFilter(task: "pos")) } == "registry/unknown-adapter")
    let digest = try registry.resolve("b").digest
    var filter = AdapterFilter()
    filter.digestPrefix = try AdapterReference.digestDigits(digest.description)
    #expect(try registry.resolution(of: nil, filter).chosen.name.text == "b")
    #expect(code { _ = try AdapterReference.digestDigits("sha256:12") } == "reference/malformed")
  }

  @Test func aliasesStandForInstalledNames() throws {
    try install("sst2", "1.0.0")
    try registry.add(alias: AdapterReference("sentiment/sst-2@ukp"), of: AdapterName("sst2"))
    try registry.add(alias: AdapterReference("mood"), of: AdapterName("sst2"))
    for text in ["sentiment/sst-2@ukp", "mood", "mood@^1", "mood@1.0.0"] {
      #expect(try registry.resolve(text).name.text == "sst2")
    }
    #expect(code { _ = try registry.resolve("sentiment/sst-2@other") } == "registry/unknown-adapter")
    #expect(
      code { try registry.add(alias: AdapterReference("x@^1"), of: AdapterName("sst2")) } == "reference/malformed")
    #expect(
      code { try registry.add(alias: AdapterReference("y"), of: AdapterName("absent")) } == "registry/unknown-adapter")
    try install("mood", "3.0.0")
    #expect(try registry.resolve("mood").version.description == "3.0.0")
    try registry.remove(alias: "mood")
    #expect(try registry.aliases().map(\.alias) == ["sentiment/sst-2@ukp"])
    #expect(code { try registry.remove(alias: "mood") } == "registry/unknown-alias")
  }

  @Test func languageAdaptersAreFoundForTasks() throws {
    let english = Manifest.Dependency(name: try AdapterName("lang/en"), range: "^1", role: "language")
    try install("ner", "1.0.0") { ($0.task, $0.dependencies) = ("ner", [english]) }
    for (name, version, tag) in [
      ("lang/en", "1.0.0", "en"), ("lang/en", "2.0.0", "en"), ("other/en", "1.0.0", "en"),
      ("lang/sw", "1.0.0", "sw-KE"),
    ] {
      try install(name, version) { ($0.kind, $0.languages) = (.language, [tag]) }
    }
    // What came from AdapterHub has no tags, and is called as its language is.
    try install("lang/yo", "1.0.0") { ($0.kind, $0.languages) = (.language, []) }
    try install("small/sw", "1.0.0") { ($0.kind, $0.languages, $0.base.hiddenSize) = (.language, ["sw"], 8) }
    let task = try registry.resolve("ner")
    #expect(task.manifest.dependencies == [english])
    #expect(try registry.languageAdapter("sw", under: task).reference == "lang/sw@1.0.0")
    #expect(try registry.languageAdapter("en", under: task).reference == "lang/en@1.0.0")
    #expect(try registry.languageAdapter("yo", under: task).reference == "lang/yo@1.0.0")
    #expect(code { _ = try registry.languageAdapter("de", under: task) } == "registry/unknown-adapter")
  }

  @Test func whatAnAdapterWasTrainedOverIsRecordedOnce() throws {
    let parcel = try Parcel.open(Shop.fixture("classifier"))
    let over = Manifest.Dependency(name: try AdapterName("lang/en"), range: "^1", role: "language")
    let told = try parcel.described { $0.dependencies = [over] }
    #expect(told.bundle.manifest.dependencies == [over])
    #expect(told.bundle.digest != parcel.bundle.digest)
    try told.pack(to: shop.scratch("told.adapter"))
    #expect(
      code { _ = try Parcel.open(shop.scratch("told.adapter")).described { $0.task = "x" } } == "registry/sealed-bundle"
    )
    #expect(try registry.install(from: shop.scratch("told.adapter")).adapter.manifest.dependencies == [over])
  }
}
