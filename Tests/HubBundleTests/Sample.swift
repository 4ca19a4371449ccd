import HubArchive
import HubBundle
import HubManifest
import HubTesting
import HubWeights

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
