import HubArchive
import HubWords
import HubTesting
import HubWeights
import Testing

@testable import HubBundle

/// A small bundle with everything in it.
enum Sample {
  static func builder() throws -> BundleBuilder {
    var manifest = Manifest(
      name: try AdapterName("samples/sentiment"), kind: .task, method: "seq_bn",
      base: Manifest.Base(
        architecture: "bert", name: "tiny-bert", hiddenSize: 4, layers: 1, fingerprint: Digest(of: [1, 2, 3])))
    manifest.task = "sentiment"
    manifest.languages = ["en"]
    manifest.labels = ["negative", "neutral", "positive"]
    manifest.dependencies = [Manifest.Dependency(name: try AdapterName("lang/en"), range: "^1.0", role: "language")]
    manifest.license = "Apache-2.0"
    manifest.source = JSON(dictionaryLiteral: ("format", "adapterhub")).object
    func floats(_ count: Int) -> [Float] { (0..<count).map { Float($0) / 2 - 0.5 } }
    return BundleBuilder(
      manifest: manifest, config: bottleneck(["mh_adapter": true, "output_adapter": false]),
      weights: [
        try StoredTensor(name: "layers.0.attention.up.weight", shape: [4, 2], floats: floats(8)),
        try StoredTensor(name: "layers.0.attention.up.bias", shape: [4], floats: floats(4)),
        try StoredTensor(name: "layers.0.attention.down.weight", shape: [2, 4], floats: floats(8)),
        try StoredTensor(name: "layers.0.attention.down.bias", shape: [2], floats: [-0.5, 0.5]),
      ],
      head: StoredModule(
        configuration: ["head_type": "classification", "num_labels": 3, "layers": 1, "activation_function": "tanh"],
        weights: [
          try StoredTensor(name: "linear.0.weight", shape: [3, 4], floats: floats(12)),
          try StoredTensor(name: "linear.0.bias", shape: [3], floats: floats(3)),
        ]),
      card: "# Sample\n")
  }

  /// The configuration of a bottleneck of width 2.
  private static func bottleneck(_ options: JSON.Members) -> JSON {
    let common: JSON.Members = [
      "non_linearity": "relu", "reduction_factor": 2, "original_ln_before": true, "original_ln_after": true,
      "residual_before_ln": true,
    ]
    return .object(common.with(options))
  }

  /// Small bundles of all kinds, by name. But for the one without weights they can be installed.
  static func kinds() throws -> [(name: String, builder: BundleBuilder)] {
    func tensor(_ name: String, _ shape: [Int]) throws -> StoredTensor {
      try StoredTensor(name: name, shape: shape, floats: (0..<shape.reduce(1, *)).map { Float($0) / 4 - 1 })
    }
    func bundle(
      _ name: String, _ kind: AdapterKind, _ method: String, _ weights: [StoredTensor],
      _ change: (inout BundleBuilder) throws -> Void
    ) throws -> (String, BundleBuilder) {
      let base = Manifest.Base(architecture: "bert", name: "tiny-bert", hiddenSize: 4, layers: 1)
      let manifest = Manifest(name: try AdapterName("samples/\(name)"), kind: kind, method: method, base: base)
      var builder = BundleBuilder(
        manifest: manifest, config: Self.bottleneck(["mh_adapter": false, "output_adapter": true]), weights: weights)
      try change(&builder)
      return (name, builder)
    }
    func layer(_ name: String, _ input: Int, _ output: Int) throws -> [StoredTensor] {
      try [tensor("\(name).weight", [output, input]), tensor("\(name).bias", [output])]
    }
    func bottleneck(_ place: String) throws -> [StoredTensor] {
      try layer("layers.0.\(place).down", 4, 2) + layer("layers.0.\(place).up", 2, 4)
    }
    let halves = try ["f", "g"].flatMap {
      try layer("invertible.\($0).down", 2, 1) + layer("invertible.\($0).up", 1, 2)
    }
    let fusion =
      try ["query", "key"].flatMap { try layer("layers.0.attention.\($0)", 4, 4) } + [
        tensor("layers.0.attention.value.weight", [4, 4])
      ]
    let kinds = [
      try bundle("language", .language, "seq_bn_inv", bottleneck("attention") + halves) {
        $0.manifest.languages = ["sw", "zh-Hant-TW"]
        $0.config = Self.bottleneck([
          "mh_adapter": true, "output_adapter": false, "inv_adapter": "nice", "inv_adapter_reduction_factor": 2,
        ])
      },
      try bundle(
        "lora", .adapter, "lora", [tensor("layers.0.query.lora_a", [2, 4]), tensor("layers.0.query.lora_b", [4, 2])]
      ) {
        $0.config = ["architecture": "lora", "r": 2, "alpha": 8, "attn_matrices": ["q"]]
      },
      try bundle("fusion", .fusion, "fusion", fusion) {
        $0.config = ["key": true, "query": true, "value": true]
        $0.manifest.members = [try AdapterName("samples/sentiment"), try AdapterName("samples/language")]
      },
      try bundle("merged", .merged, "seq_bn", bottleneck("feed_forward")) {
        $0.manifest.source = ["format": "dovetail", "merged": ["a", "b"]]
      },
      try bundle("no-weights", .adapter, "seq_bn", []) { $0.card = "Größe 漢字\n" },
      try bundle("probe", .adapter, "seq_bn", bottleneck("feed_forward")) {
        $0.probe = Probe(text: "a text", base: Digest(of: [1, 2, 3]), state: [0.5, -1.25, 0, 3], logits: [])
      },
      try bundle("signers", .adapter, "seq_bn", bottleneck("feed_forward")) {
        $0.signer = try SigningKey(seed: [UInt8](repeating: 7, count: 32))
      },
      // Of a later minor version: unknown keys, kinds and roles are kept.
      try bundle("future", AdapterKind(rawValue: "telepathy"), "mind_reading", bottleneck("feed_forward")) {
        ($0.manifest.other, $0.manifest.base.other) = (["since": "1.9"], ["moons": 2])
      },
    ]
    let named = Dictionary(uniqueKeysWithValues: kinds + [("sentiment", try builder())])
    let members = try ["fusion", "language", "sentiment"].map {
      try member(#require(named[$0]), isSigned: $0 == "language")
    }
    return kinds + [("composition", try composition(of: members))]
  }

  static let setup = "fuse(samples/sentiment@1.0.0, drop(2-3, samples/language@1.0.0), name=samples/fusion@1.0.0)"

  private static func composition(
    of members: [(name: AdapterName, content: BundleBuilder.Member)]
  ) throws -> BundleBuilder {
    var manifest = Manifest(
      name: try AdapterName("samples/composition"), kind: .composition, method: "composition",
      base: Manifest.Base(architecture: "bert", hiddenSize: 4))
    manifest.dependencies = members.map {
      Manifest.Dependency(Manifest.Member(name: $0.name, version: SemanticVersion(1, 0, 0), digest: $0.content.digest))
    }
    var composition = BundleBuilder(
      manifest: manifest, config: PinnedComposition(try Composition(parsing: setup)).json, weights: [])
    composition.members = members.map(\.content)
    return composition
  }

  private static func member(
    _ builder: BundleBuilder, isSigned: Bool
  ) throws -> (name: AdapterName, content: BundleBuilder.Member) {
    let scratch = try Scratch()
    _ = try builder.write(to: scratch("bundle"))
    if isSigned { try Bundle.sign(scratch("bundle"), with: SigningKey(seed: [UInt8](repeating: 1, count: 32))) }
    let bundle = try Bundle.open(folder: scratch("bundle"))
    return (
      bundle.manifest.name,
      BundleBuilder.Member(digest: bundle.digest, files: bundle.files.map { ($0.name.text, $0.file) })
    )
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
