public import HubModels
public import HubWords
public import HubTensor
public import HubTransformer
import HubWeights

extension Failure.Code {
  /// An adapter whose effect no weights of the base model have.
  public static let unfoldableAdapter = Self("arithmetic/unfoldable", .refused)
}

/// A linear layer's weight `[out, in]` and bias `[1, out]`.
struct FoldedLinear {
  var weight: Tensor
  var bias: Tensor?
}

/// What a folded adapter is to be equal to.
public enum FoldedForm: Sendable {
  /// Itself as it runs.
  case running
  /// What the Python library `adapters` makes of it: biases stay as they are, though (IA)³ and DoRA scale them, and the
  /// update of DoRA loses its `alpha / r`.
  case library
}

/// A method whose effect weights of the base model can have.
public protocol FoldableMethod: AdapterMethod {
  /// The base model's weights with this adapter in them, so that it costs nothing any more.
  ///
  /// - Parameters:
  ///   - weights: those of the base model, by the names that it asks for
  ///   - family: the base model's
  /// - Throws: ``Failure`` with code ``Failure/Code/unfoldableAdapter`` if the adapter has gates, or acts on layers
  ///   that the model does not have.
  func folded(
    into weights: StoredWeights, of family: ModelFamily, as form: FoldedForm, in context: Context
  ) throws -> StoredWeights
}

extension LoRA: FoldableMethod {
  public func folded(
    into weights: StoredWeights, of family: ModelFamily, as form: FoldedForm = .running, in context: Context
  ) throws -> StoredWeights {
    var tensors = weights.tensors
    let encoderLayers = family.encoderLayers(naming: tensors.keys)
    for (site, unit) in units {
      guard let name = family.path(at: site, encoderLayers: encoderLayers).map({ $0 + ".weight" }),
        let stored = tensors[name],
        stored.shape.count == 2
      else {
        throw Failure(.unfoldableAdapter, "the model has no weight at \(site.place.rawValue) of layer \(site.layer)")
      }
      let biasName = name.replacing("weight", with: "bias"), bias = tensors[biasName]
      let linear = FoldedLinear(
        weight: context.tensor(rows: stored.shape[0], columns: stored.shape[1], try stored.floats()),
        bias: try bias.map { context.tensor(rows: 1, columns: $0.count, try $0.floats()) })
      guard let folded = unit.folded(into: linear, as: form, in: context) else {
        throw Failure(
          .unfoldableAdapter, "an adapter with gates, or with biases of its own, cannot be folded into the weights",
          at: "use_gating")
      }
      tensors[name] = try StoredTensor(name: name, shape: stored.shape, floats: folded.weight.values)
      if let bias, let values = folded.bias?.values, form == .running {
        tensors[biasName] = try StoredTensor(name: biasName, shape: bias.shape, floats: values)
      }
    }
    return StoredWeights(tensors)
  }
}
