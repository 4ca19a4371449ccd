public import HubModels
public import HubWords
public import HubTensor
public import HubTransformer
import HubWeights

extension Failure.Code {
  /// An adapter whose effect no weights of the base model have.
  public static let unfoldableAdapter = Self("arithmetic/unfoldable", .refused)
}

extension LoRA {
  /// The base model's weights with this adapter in them, so that it costs nothing any more.
  ///
  /// As the Python library folds them: biases stay as they are, so that (IA)³ and DoRA, which scale them too, give other
  /// results than before; and DoRA's update loses its `alpha / r`.
  ///
  /// - Parameters:
  ///   - weights: those of the base model, by the names that it asks for
  ///   - family: the base model's
  /// - Throws: ``Failure`` with code ``Failure/Code/unfoldableAdapter`` if the adapter has gates, or acts on layers that the
  ///   model does not have.
  public func folded(
    into weights: StoredWeights, of family: ModelFamily, in context: Context
  ) throws -> StoredWeights {
    var tensors = weights.tensors
    for (site, unit) in units {
      guard let name = family.layers.path(at: site).map({ $0 + ".weight" }), let stored = tensors[name],
        stored.shape.count == 2
      else {
        throw Failure(.unfoldableAdapter, "the model has no weight at \(site.place.rawValue) of layer \(site.layer)")
      }
      let weight = context.tensor(rows: stored.shape[0], columns: stored.shape[1], try stored.floats())
      guard let folded = unit.folded(into: weight, in: context) else {
        throw Failure(
          .unfoldableAdapter, "an adapter with gates or biases cannot become part of the weights", at: "use_gating")
      }
      tensors[name] = try StoredTensor(name: name, shape: stored.shape, floats: folded.values)
    }
    return StoredWeights(tensors)
  }
}
