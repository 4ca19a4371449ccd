public import HubManifest
public import HubTensor
public import HubTransformer

/// One answer for a text or a pair of texts, read at its first token. As in the Python library the model's pooler is
/// used only where `use_pooler` says so, for BERT too.
public struct ClassificationHead: Head {
  public static let types = ["classification"]

  private let layers: PooledLayers

  public init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    layers = try PooledLayers(configuration, hidden: shape.hiddenSize, from: weights)
  }

  public var labels: [String] { layers.labels }
  public var answer: HeadAnswer { .label }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor { try layers(input, in: context) }
}
