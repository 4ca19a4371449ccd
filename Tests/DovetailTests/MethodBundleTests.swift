import Dovetail
import Foundation
import HubAdapters
import HubBundle
import HubManifest
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

  /// A fresh adapter for the tiny model, with a head.
  private func bundle(_ name: String, _ configuration: JSON.Members, layers: Int?, head: JSON.Members, in workshop: Workshop) throws -> String {
    let shape = BaseShape(hiddenSize: 32, embeddingSize: 32, intermediateSize: 37, layers: layers ?? 3)
    var base = Manifest.Base(architecture: "bert", hiddenSize: 32)
    base.layers = layers
    let manifest = Manifest(name: try AdapterName(name), kind: .task, method: name, base: base)
    let c = JSONObject(configuration), h = JSONObject(head)
    let weights = try fresh { try AdapterMethods.type(for: c).init(configuration: c, shape: shape, weights: $0).parameters }
    let headType = try #require(Heads.all.first { $0.types.contains(head["head_type"]?.string ?? "") })
    let headWeights = try fresh { try headType.init(configuration: h, shape: shape, weights: $0).parameters }
    let builder = BundleBuilder(
      manifest: manifest, config: .object(configuration), weights: weights, head: .init(config: .object(head), weights: headWeights))
    return try builder.write(to: workshop.scratch("bundle-\(name)")).folder
  }

  /// The tensors that a fresh adapter or head consists of.
  private func fresh(_ parameters: (ParameterSource) throws -> [Parameter]) throws -> [StoredTensor] {
    let schema = SchemaParameters()
    _ = try parameters(ParameterSource(schema))
    let shapes = Dictionary(schema.entries.map { ($0.name, $0.shape) }) { $1 }
    return try parameters(ParameterSource(FreshParameters(seed: 1, engine: Engine(threads: 1)))).map {
      try StoredTensor(name: $0.name, shape: #require(shapes[$0.name]), floats: $0.value.values)
    }
  }

  @Test(arguments: configurations.keys.sorted(), [3, nil])
  func isPackedInstalledAndRun(name: String, layers: Int?) throws {
    let workshop = try Workshop()
    try workshop.addModel()
    let head: JSON.Members = ["head_type": "tagging", "num_labels": 2, "label2id": ["no": 0, "yes": 1]]
    let folder = try bundle(name, #require(Self.configurations[name]), layers: layers, head: head, in: workshop)
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
    let own: JSON.Members = ["head_type": "udapter_parsing", "languages": ["de", "yo"], "language": "yo", "arc_size": 8, "relation_size": 8]
    for (name, head) in [("udapter", own), ("pal", ["head_type": "dependency_parsing"] as JSON.Members)] {
      try workshop.hub.install(from: bundle(name, #require(Self.configurations[name]), layers: 3, head: head.with(labels), in: workshop))
      let model = try workshop.hub.compose(.adapter(name), on: workshop.hub.baseModel("tiny", engine: Engine(threads: 1)))
      let words = ["the", "camera", "workings", "great", "."], parse = try model.parse(words: words)
      #expect(parse.map(\.text) == words && parse.count { $0.head == 0 } == 1)
      #expect(parse.allSatisfy { (0...5).contains($0.head ?? -1) && ["nsubj", "det", "root"].contains($0.relation) })
      #expect(try model.parse("the camera workings great.") == parse)
      guard case .parsing(let cut) = try model.predict([.words(words)], maximumLength: 4)[0].get() else {
        Issue.record("expected a parse")
        return
      }
      #expect(cut.map(\.text) == words && cut.map { $0.head != nil } == [true, true, false, false, false])
      #expect(try model.parse("").isEmpty)
      #expect { try model.tag("the camera") } throws: { ($0 as? Failure)?.code == .wrongHead }
    }
  }

  @Test func aWrongOptionIsFoundBeforeInstalling() throws {
    let workshop = try Workshop()
    let head: JSON.Members = ["head_type": "tagging", "num_labels": 2]
    let folder = try bundle("pal", #require(Self.configurations["pal"]), layers: 3, head: head, in: workshop)
    let bundle = try Bundle.open(folder: folder)
    try BundleCheck.check(bundle)
    for (key, value, subject) in [("heads", 5, "heads"), ("size", 24, "layers.0.feed_forward.key.bias")] as [(String, JSON, String)] {
      let builder = BundleBuilder(
        manifest: bundle.manifest, config: .object(bundle.config.members.with([key: value])), weights: bundle.weights.tensors,
        head: bundle.head.map { .init(config: .object($0.config.members), weights: $0.weights.tensors) })
      let spoilt = try builder.write(to: workshop.scratch("spoilt-\(key)"))
      #expect { try BundleCheck.check(spoilt) } throws: { ($0 as? Failure)?.subject?.hasSuffix(subject) ?? false }
    }
  }
}
