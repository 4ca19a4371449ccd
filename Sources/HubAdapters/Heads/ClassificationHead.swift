public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// One answer for a text or a pair of texts, read at its first token. As in the Python library the model's pooler is
/// used only where `use_pooler` says so, for BERT too. With a single label the answer is a number.
public struct ClassificationHead: Head {
  public static let types = ["classification"]

  private let layers: PooledLayers

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    layers = try PooledLayers(configuration, hidden: shape.hiddenSize, from: weights)
  }

  public var labels: [String] { layers.labels }
  public var answer: HeadAnswer { labels.count == 1 ? .number : .label }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor { try layers(input, in: context) }

  /// Cross entropy; the mean squared error of a number.
  public func loss(_ logits: Tensor, _ labels: HeadTargets, in context: Context) throws -> Tensor {
    guard self.labels.count == 1 else { return context.crossEntropy(logits, labels: try labels.classes(for: logits)) }
    guard case .values(let values) = labels else { throw labels.failure(wanted: "numbers") }
    try HeadTargets.check(values.count, logits.rows)
    guard values.allSatisfy(\.isFinite) else { throw Failure(.wrongLabels, "a value is not finite") }
    return context.meanSquaredError(logits, values)
  }
}
