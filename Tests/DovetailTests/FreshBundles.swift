import Dovetail
import HubAdapters
import HubBundle
import HubWords
import HubTensor
import HubTesting
import HubModels
import HubTransformer
import HubWeights
import Testing

extension Workshop {
  /// A fresh adapter for the tiny model, with a head.
  func freshBundle(_ name: String, _ configuration: JSON.Members, layers: Int?, head: JSON.Members) throws -> String {
    let shape = ModelShape(hiddenSize: 32, embeddingSize: 32, intermediateSize: 37, layers: layers ?? 3)
    var base = Manifest.Base(architecture: "bert", hiddenSize: 32)
    base.layers = layers
    let manifest = Manifest(name: try AdapterName(name), kind: .task, method: name, base: base)
    let c = JSONObject(configuration), h = JSONObject(head)
    let weights = try fresh {
      try AdapterMethods.type(for: c).init(configuration: c, shape: shape, weights: $0).parameters
    }
    let headType = try #require(Heads.all.first { $0.types.contains(head["head_type"]?.string ?? "") })
    let headWeights = try fresh { try headType.init(configuration: h, shape: shape, weights: $0).parameters }
    let builder = BundleBuilder(
      manifest: manifest, config: .object(configuration), weights: weights,
      head: StoredModule(configuration: head, weights: headWeights))
    return try builder.write(to: scratch("bundle-\(name)")).folder
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
}
