public import HubManifest
public import HubTensor
public import HubTransformer

/// Any number of answers for a text: a logit each, of which the sigmoid is the probability.
public struct MultiLabelHead: Head {
  public static let types = ["multilabel_classification"]

  private let layers: PooledLayers

  public init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    layers = try PooledLayers(configuration, hidden: shape.hiddenSize, from: weights)
  }

  public var labels: [String] { layers.labels }
  public var answer: HeadAnswer { .labels }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor { try layers(input, in: context) }

  public func loss(_ logits: Tensor, labels: [Int?], in context: Context) throws -> Tensor {
    throw Failure(.unsupportedHead, "one label for each text does not train a head with several")
  }
}
