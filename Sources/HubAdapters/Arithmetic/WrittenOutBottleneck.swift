public import HubWords
import HubTensor
import HubModels
import HubTransformer
public import HubWeights

/// An ordinary bottleneck adapter that was computed from another one: in the words of the bundle format, and for
/// libraries that know no more than these.
public struct WrittenOutBottleneck: Sendable {
  /// AdapterHub's keys.
  public let configuration: JSON.Members
  /// The tensors, by the names of the bundle format.
  public let weights: [StoredTensor]

  init(_ configuration: JSONObject, _ blocks: [Site: BottleneckBlock], engine: Engine) throws {
    // A pass that trains nothing has the weights as such.
    let context = Context(engine)
    let explicit: JSON.Members = ["original_ln_before": false, "original_ln_after": true]
    self.configuration = configuration.members.with(explicit)
    weights = try blocks.sorted { $0.key < $1.key }.flatMap { site, block in
      try block.projections(in: context).flatMap { name, projection in
        let path = "layers.\(site.layer).\(site.place.rawValue).\(name)", weight = projection.weight
        let matrix = try StoredTensor(
          name: "\(path).weight", shape: [weight.rows, weight.columns], floats: weight.value.values)
        return try [matrix]
          + (projection.bias.map {
            [try StoredTensor(name: "\(path).bias", shape: [$0.count], floats: $0.value.values)]
          } ?? [])
      }
    }
  }
}

extension BottleneckBlock {
  fileprivate func projections(in context: Context) -> [(name: String, Context.LinearWeights)] {
    [("down", down), ("up", up)].compactMap { name, layer in layer.projection(in: context).map { (name, $0) } }
  }
}
