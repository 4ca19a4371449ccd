public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Any number of answers for a text: a logit each, of which the sigmoid is the probability.
public struct MultiLabelHead: Head {
  public static let types = ["multilabel_classification"]

  private let layers: PooledLayers

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    layers = try PooledLayers(configuration, hidden: shape.hiddenSize, from: weights)
  }

  public var labels: [String] { layers.labels }
  public var answer: HeadAnswer { .labels }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor { try layers(input, in: context) }

  /// The mean over texts and labels of the binary cross entropy.
  public func loss(_ logits: Tensor, _ labels: HeadTargets, in context: Context) throws -> Tensor {
    guard case .sets(let sets) = labels else { throw labels.failure(wanted: "sets of labels") }
    try HeadTargets.check(sets.count, logits.rows)
    try sets.joined().forEach { try HeadTargets.check($0, below: logits.columns) }
    return context.binaryCrossEntropy(logits, sets)
  }
}
