import HubArchive
import HubManifest
import HubTesting
import HubWeights
import Testing

@testable import HubBundle

/// A small bundle with everything in it.
enum Sample {
  static func builder() throws -> BundleBuilder {
    var manifest = Manifest(
      name: try AdapterName("samples/sentiment"), kind: .task, method: "seq_bn",
      base: Manifest.Base(architecture: "bert", name: "tiny-bert", hiddenSize: 4, layers: 1, fingerprint: Digest(of: [1, 2, 3])))
    manifest.task = "sentiment"
    manifest.languages = ["en"]
    manifest.labels = ["negative", "neutral", "positive"]
    manifest.dependencies = [Manifest.Dependency(name: try AdapterName("lang/en"), range: "^1.0", role: "language")]
    manifest.license = "Apache-2.0"
    manifest.source = JSON(dictionaryLiteral: ("format", "adapterhub")).object
    func floats(_ count: Int) -> [Float] { (0..<count).map { Float($0) / 2 - 0.5 } }
    return BundleBuilder(
      manifest: manifest, config: ["non_linearity": "relu", "reduction_factor": 2],
      weights: [
        try StoredTensor(name: "layers.0.attention.up.weight", shape: [4, 2], floats: floats(8)),
        try StoredTensor(name: "layers.0.attention.up.bias", shape: [4], floats: floats(4)),
        try StoredTensor(name: "layers.0.attention.down.weight", shape: [2, 4], floats: floats(8)),
        try StoredTensor(name: "layers.0.attention.down.bias", shape: [2], floats: [-0.5, 0.5]),
      ],
      head: BundleBuilder.Head(
        config: ["head_type": "classification", "num_labels": 3],
        weights: [try StoredTensor(name: "linear.0.weight", shape: [3, 4], floats: floats(12))]),
      card: "# Sample\n")
  }

  /// Small bundles of all kinds, by name.
  static func kinds() throws -> [(name: String, builder: BundleBuilder)] {
    func tensor(_ name: String, _ shape: [Int]) throws -> StoredTensor {
      try StoredTensor(name: name, shape: shape, floats: (0..<shape.reduce(1, *)).map { Float($0) / 4 - 1 })
    }
    func bundle(_ name: String, _ kind: AdapterKind, _ method: String, _ weights: [StoredTensor], _ change: (inout BundleBuilder) throws -> Void) throws -> (String, BundleBuilder) {
      let base = Manifest.Base(architecture: "bert", name: "tiny-bert", hiddenSize: 4, layers: 1)
      let manifest = Manifest(name: try AdapterName("samples/\(name)"), kind: kind, method: method, base: base)
      var builder = BundleBuilder(manifest: manifest, config: ["reduction_factor": 2], weights: weights)
      try change(&builder)
      return (name, builder)
    }
    let bottleneck = try [tensor("layers.0.feed_forward.down.weight", [2, 4]), tensor("layers.0.feed_forward.up.weight", [4, 2])]
    let halves = try ["f", "g"].flatMap { [try tensor("invertible.\($0).down.weight", [1, 2]), try tensor("invertible.\($0).up.weight", [2, 1])] }
    let parts = ["query", "key", "value"]
    let kinds = [
      try bundle("language", .language, "seq_bn_inv", bottleneck + halves) { $0.manifest.languages = ["sw", "zh-Hant-TW"] },
      try bundle("lora", .adapter, "lora", [tensor("layers.0.query.lora_a", [2, 4]), tensor("layers.0.query.lora_b", [4, 2])]) { $0.config = ["r": 2, "alpha": 8] },
      try bundle("fusion", .fusion, "fusion", parts.map { try tensor("layers.0.feed_forward.\($0).weight", [4, 4]) }) {
        $0.manifest.members = [try AdapterName("samples/sentiment"), try AdapterName("samples/language")]
      },
      try bundle("merged", .merged, "seq_bn", bottleneck) { $0.manifest.source = ["format": "dovetail", "merged": ["a", "b"]] },
      try bundle("no-weights", .adapter, "seq_bn", []) { $0.card = "Größe 漢字\n" },
      try bundle("probe", .adapter, "seq_bn", bottleneck) {
        $0.probe = Probe(text: "a text", base: Digest(of: [1, 2, 3]), state: [0.5, -1.25, 0, 3], logits: [])
      },
      // Of a later minor version: unknown keys, kinds and roles are kept.
      try bundle("future", AdapterKind(rawValue: "telepathy"), "mind_reading", bottleneck) {
        ($0.manifest.other, $0.manifest.base.other) = (["since": "1.9"], ["moons": 2])
      },
    ]
    let named = Dictionary(uniqueKeysWithValues: kinds + [("sentiment", try builder())])
    let members = try ["fusion", "language", "sentiment"].map { try member(#require(named[$0]), isSigned: $0 == "language") }
    return kinds + [("composition", try composition(of: members))]
  }

  static let setup = "fuse(samples/sentiment@1.0.0, drop(2-3, samples/language@1.0.0), name=samples/fusion@1.0.0)"

  private static func composition(of members: [(name: AdapterName, content: BundleBuilder.Member)]) throws -> BundleBuilder {
    var manifest = Manifest(
      name: try AdapterName("samples/composition"), kind: .composition, method: "composition", base: Manifest.Base(architecture: "bert", hiddenSize: 4))
    manifest.dependencies = members.map { Manifest.Dependency(Manifest.Member(name: $0.name, version: SemanticVersion(1, 0, 0), digest: $0.content.digest)) }
    var composition = BundleBuilder(manifest: manifest, config: PinnedComposition(try Composition(parsing: setup)).json, weights: [])
    composition.members = members.map(\.content)
    return composition
  }

  private static func member(_ builder: BundleBuilder, isSigned: Bool) throws -> (name: AdapterName, content: BundleBuilder.Member) {
    let scratch = try Scratch()
    _ = try builder.write(to: scratch("bundle"))
    if isSigned { try Bundle.sign(scratch("bundle"), with: SigningKey(seed: [UInt8](repeating: 1, count: 32))) }
    let bundle = try Bundle.open(folder: scratch("bundle"))
    return (bundle.manifest.name, BundleBuilder.Member(digest: bundle.digest, files: bundle.files.map { ($0.name.text, $0.file) }))
  }

  static func packed(_ compression: Compression) throws -> [UInt8] {
    let scratch = try Scratch()
    _ = try builder().write(to: scratch("bundle"))
    try Bundle.pack(folder: scratch("bundle"), to: scratch("packed"), compression: compression)
    return try scratch.bytes("packed")
  }

  static func digest() throws -> Digest {
    let scratch = try Scratch()
    return try builder().write(to: scratch("bundle")).digest
  }
}
