import HubBundle
import HubWords
import HubRegistry
import Testing

@Suite struct LookAlikeTests {
  let shop: Shop
  var registry: Registry { shop.registry }

  init() throws { shop = try Shop() }

  private func notes(
    _ name: String, _ version: String = "1.0.0", _ change: (inout Manifest) throws -> Void = { _ in }
  ) throws -> [String] {
    try registry.install(from: shop.release(name, version, change)).notes
  }

  @Test(arguments: [
    "Sentiment", "sent1ment", "sentlment", "sentirnent",  // one letter for another that looks like it
    "sentimet", "sentimentt", "sentinent", "setniment",  // one slip
  ])
  func aNameLikeThatOfAnInstalledAdapterIsToldOf(name: String) throws {
    #expect(try notes("sentiment").isEmpty)
    #expect(try notes(name) == ["the name \(name) is easily mistaken for sentiment, which is installed"])
    #expect(try notes(name, "1.1.0").isEmpty, "it is installed by now")
  }

  @Test func signsLookAlike() throws {
    #expect(try notes("task/ner-en").isEmpty)
    #expect(try notes("task/ner_en").count == 1)
    #expect(
      try notes("task/ner.en") == [
        "the name task/ner.en is easily mistaken for task/ner-en or task/ner_en, which is installed"
      ])
  }

  @Test func aSeriesIsNoLikeness() throws {
    #expect(try notes("seed12").isEmpty)
    #expect(try notes("seed13").isEmpty && notes("seed22").isEmpty && notes("seed1").isEmpty && notes("other").isEmpty)
  }

  @Test func whatIsAboutSomethingElseMayBeOneLetterAway() throws {
    func language(_ tag: String) throws -> [String] {
      try notes("lang/\(tag)") { ($0.kind, $0.languages) = (.language, [tag]) }
    }
    #expect(try language("sw").isEmpty && language("sv").isEmpty)
    #expect(
      try notes("lang/sx") { ($0.kind, $0.languages) = (.language, ["sv"]) } == [
        "the name lang/sx is easily mistaken for lang/sv, which is installed"
      ])
  }

  @Test func aRehearsalTellsTheSame() throws {
    #expect(try notes("sentiment").isEmpty)
    #expect(try registry.rehearseInstall(from: shop.release("sentlment", "1.0.0")).notes.count == 1)
  }
}
