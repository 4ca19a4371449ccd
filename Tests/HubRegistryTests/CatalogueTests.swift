import Foundation
import GRDB
import HubArchive
import HubBundle
import HubWords
@testable import HubRegistry
import HubTesting
import Testing

@Suite struct CatalogueTests {
  let shop: Shop
  var registry: Registry { shop.registry }

  init() throws { shop = try Shop() }

  /// An entry as AdapterHub's own index has it.
  private func entry(
    _ publisher: String, _ task: String, _ subtask: String, _ base: String, full: Bool = false,
    url: String = "https://example.org/a.zip"
  ) -> String {
    """
    {"config_id": "x", "default_version": "1", "files": {"1": {"sha1": "\(String(repeating: "0", count: 40))", "sha256": "\(Digest(of: Array(url.utf8)).hex)", "url": "\(url)"}},
     "info": {"adapter_config": {"mh_adapter": \(full), "output_adapter": true, "reduction_factor": 16}, "adapter_id": "@\(publisher)/\(base)_\(task)_\(subtask)",
      "model_name": "\(base)", "sha1_checksum": "0", "source": "ah", "subtask": "\(subtask)", "task": "\(task)", "username": "\(publisher)"}}
    """
  }

  private func index(_ entries: [String]) throws -> String {
    let folder = "index-\(UInt64.random(in: 0 ... .max))"
    for (number, text) in entries.enumerated() {
      try shop.scratch.file("\(folder)/v2/adapters/ukp/\(number).json", Array(text.utf8))
    }
    try shop.scratch.file("\(folder)/v2/all.json", Array("[]".utf8))
    try shop.scratch.file("\(folder)/README.md", Array("# Index".utf8))
    return shop.scratch(folder)
  }

  private func found(_ words: String...) throws -> [String] {
    let result = try registry.search(words, limit: 10)
    return result.installed.map(\.reference) + result.offered.map { "\($0.reference) \($0.base) \($0.method)" }
  }

  @Test func theIndexIsSearchedTogetherWithWhatIsInstalled() throws {
    #expect(try found("sst").isEmpty)
    try registry.install(
      from: shop.release("mood", "1.0.0") {
        ($0.description, $0.languages, $0.task) = ("Trained on SST-2 of GLUE", ["en"], "sentiment")
      })
    let entries = [
      entry("ukp", "sentiment", "sst-2", "bert-base-uncased"),
      entry("ukp", "sentiment", "sst-2", "roberta-base", full: true),
      entry("ukp", "sw", "wiki", "xlm-roberta-base"),
    ]
    #expect(try registry.importCatalogue(from: index(entries)) == 3)
    #expect(
      try found("SST") == [
        "mood@1.0.0", "sentiment/sst-2@ukp bert-base-uncased seq_bn", "sentiment/sst-2@ukp roberta-base double_seq_bn",
      ])
    #expect(try found("sst", "ROBERTA") == ["sentiment/sst-2@ukp roberta-base double_seq_bn"])
    #expect(try found("glue") == ["mood@1.0.0"])
    #expect(try found("sw", "wiki") == ["sw/wiki@ukp xlm-roberta-base seq_bn"])
    #expect(
      try found("sent", "sst-2") == [
        "mood@1.0.0", "sentiment/sst-2@ukp bert-base-uncased seq_bn", "sentiment/sst-2@ukp roberta-base double_seq_bn",
      ])
    #expect(try found("timent").isEmpty && found("%").isEmpty && found("' OR 1").isEmpty && found("_").isEmpty)
    let cut = try registry.search(["sst"], limit: 2)
    #expect(cut.isCut && cut.installed.count == 1 && cut.offered.count == 1)
    #expect(try !registry.search(["sst"], limit: 3).isCut)
  }

  /// Frequent words and rare ones, together and alone, are looked for in different ways.
  @Test func wordsAreFoundHoweverFrequent() throws {
    let names = ["mood", "moody", "mode"]
    for name in names {
      try registry.install(from: shop.release(name, "1.0.0") { $0.languages = name == "mode" ? ["sw"] : ["en"] })
    }
    try DatabaseQueue(path: registry.folder + "/registry.sqlite").write { database in
      let id = try #require(try Int64.fetchOne(database, sql: "SELECT id FROM adapters WHERE name = 'mode'"))
      for number in 0..<2000 {
        try SearchWords(["sw\(number) en\(number) moodiness\(number)"]).insert(for: id, into: database)
      }
    }
    #expect(try found("mo") == ["mode@1.0.0", "mood@1.0.0", "moody@1.0.0"])
    #expect(try found("sw") == ["mode@1.0.0"])
    #expect(try found("sw", "mood") == ["mode@1.0.0"])
    #expect(try found("moody", "en") == ["moody@1.0.0"])
    #expect(try registry.search(["mo"], limit: 2).isCut)
  }

  @Test func anIndexReplacesTheOneBefore() throws {
    #expect(try registry.importCatalogue(from: index([entry("a", "b", "c", "d"), entry("e", "f", "g", "h")])) == 2)
    let folder = try index([entry("i", "j", "k", "l")])
    let packed = shop.scratch("index.tar.gz")
    let writer = try ArchiveWriter(file: packed, compression: .gzip)
    for name in ["v2/adapters/ukp/0.json", "v2/all.json", "README.md"] {
      try writer.add(EntryName("dist/" + name), bytes: contents(of: "\(folder)/\(name)"))
    }
    try writer.finish()
    #expect(try registry.importCatalogue(from: packed) == 1)
    let offered = try registry.search([], limit: 10).offered
    #expect(offered.map(\.id) == ["@i/l_j_k"])
    #expect(
      offered.first?.url == "https://example.org/a.zip"
        && offered.first?.sha256 == Digest(of: Array("https://example.org/a.zip".utf8)))
  }

  @Test func whatTheIndexListsHasItsNameThere() throws {
    let packed = shop.scratch("classifier.tar.gz")
    let writer = try ArchiveWriter(file: packed, compression: .gzip)
    for name in try FileManager.default.contentsOfDirectory(atPath: Shop.fixture("classifier")).sorted() {
      try writer.add(EntryName(name), bytes: contents(of: Shop.fixture("classifier/\(name)")))
    }
    try writer.finish()
    let listed = entry("ukp", "sentiment", "sst-2", "bert").replacing(
      /"sha256": "[0-9a-f]+"/, with: "\"sha256\": \"\(Digest(of: try contents(of: packed)).hex)\"")
    _ = try registry.importCatalogue(from: index([listed]))
    try registry.install(from: shop.release("other", "1.0.0"))
    #expect(try registry.aliases().isEmpty)
    try registry.install(from: packed, as: AdapterName("mood"))
    #expect(try registry.resolve("sentiment/sst-2@ukp").name.text == "mood")
    try registry.install(from: packed, as: AdapterName("second"))
    #expect(try registry.resolve("sentiment/sst-2@ukp").name.text == "mood")
  }

  @Test func aBrokenIndexChangesNothing() throws {
    _ = try registry.importCatalogue(from: index([entry("a", "b", "c", "d")]))
    let before = shop.snapshot
    for (text, expected) in [
      ("{", "json/malformed"), ("{}", "catalogue/none"), (#"{"info": {}, "files": {}}"#, "json/unexpected"),
      (entry("a", "b", "c", String(repeating: "d", count: 2000)), "json/unexpected"),
      (entry("a", "b", "c", "d").replacing("\"sha256\": \"", with: "\"sha256\": \"../"), "digest/malformed"),
    ] {
      #expect(code { _ = try registry.importCatalogue(from: index([text])) } == expected)
    }
    #expect(shop.snapshot == before)
  }
}
