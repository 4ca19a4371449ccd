import Dovetail
import Foundation
import HubAdapters
import HubBundle
import HubWords
import HubTensor
import HubTesting
import HubTransformer
import HubWeights
import Testing

/// The methods that come from no other library are packed, installed and run like all others.
@Suite struct MethodBundleTests {
  private static let configurations: [String: JSON.Members] = [
    "lhuc": ["architecture": "lhuc"],
    "pal": ["architecture": "pal", "size": 12],
    "k_adapter": ["architecture": "k_adapter", "adapter_list": [0, 1], "adapter_size": 12, "num_attention_heads": 2],
    "adamix": ["architecture": "adamix"],
    "udapter": ["architecture": "udapter", "languages": ["de", "yo"], "language": "yo"],
  ]

  @Test(arguments: configurations.keys.sorted(), [3, nil])
  func isPackedInstalledAndRun(name: String, layers: Int?) throws {
    let workshop = try Workshop()
    try workshop.addModel()
    let head: JSON.Members = ["head_type": "tagging", "num_labels": 2, "label2id": ["no": 0, "yes": 1]]
    let folder = try workshop.freshBundle(name, #require(Self.configurations[name]), layers: layers, head: head)
    try BundleCheck.check(Bundle.open(folder: folder))
    let packed = workshop.scratch("\(name).adapter")
    try Bundle.pack(folder: folder, to: packed)
    try workshop.hub.install(from: packed)
    let model = try workshop.hub.compose(.adapter(name), on: workshop.hub.baseModel("tiny", engine: Engine(threads: 1)))
    #expect(try model.tag("the camera is great .").count == 5)
  }

  @Test func parsesWithTheHeadOfItsLanguage() throws {
    let workshop = try Workshop()
    try workshop.addModel()
    let labels: JSON.Members = ["num_labels": 3, "label2id": ["nsubj": 0, "det": 1, "root": 2]]
    let own: JSON.Members = [
      "head_type": "udapter_parsing", "languages": ["de", "yo"], "language": "yo", "arc_size": 8, "relation_size": 8,
    ]
    for (name, head) in [("udapter", own), ("pal", ["head_type": "dependency_parsing"] as JSON.Members)] {
      try workshop.hub.install(
        from: workshop.freshBundle(name, #require(Self.configurations[name]), layers: 3, head: head.with(labels)))
      let model = try workshop.hub.compose(
        .adapter(name), on: workshop.hub.baseModel("tiny", engine: Engine(threads: 1)))
      let words = ["the", "camera", "workings", "great", "."], parse = try model.parse(words: words)
      #expect(parse.map(\.text) == words && parse.count { $0.head == 0 } == 1)
      #expect(parse.allSatisfy { (0...5).contains($0.head ?? -1) && ["nsubj", "det", "root"].contains($0.relation) })
      #expect(try model.parse("the camera workings great.") == parse)
      let cut = try #require(model.predict([.words(words)], maximumLength: 4)[0].get().first(Parse.self)).words
      #expect(cut.map(\.text) == words && cut.map { $0.head != nil } == [true, true, false, false, false])
      #expect(try model.parse("").isEmpty)
      #expect { try model.tag("the camera") } throws: { ($0 as? Failure)?.code == .wrongHead }
    }
  }

  @Test func aWrongOptionIsFoundBeforeInstalling() throws {
    let workshop = try Workshop()
    let head: JSON.Members = ["head_type": "tagging", "num_labels": 2]
    let folder = try workshop.freshBundle("pal", #require(Self.configurations["pal"]), layers: 3, head: head)
    let bundle = try Bundle.open(folder: folder)
    try BundleCheck.check(bundle)
    for (key, value, subject) in [("heads", 5, "heads"), ("size", 24, "layers.0.feed_forward.key.bias")]
      as [(String, JSON, String)]
    {
      let builder = BundleBuilder(
        manifest: bundle.manifest, config: .object(bundle.config.members.with([key: value])),
        weights: bundle.weights.tensors,
        head: AdapterContent(bundle).head)
      let spoilt = try builder.write(to: workshop.scratch("spoilt-\(key)"))
      #expect { try BundleCheck.check(spoilt) } throws: { ($0 as? Failure)?.subject?.hasSuffix(subject) ?? false }
    }
  }
}
