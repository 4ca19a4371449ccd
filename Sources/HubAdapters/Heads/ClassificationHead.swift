public import HubManifest
public import HubTensor
public import HubTransformer

/// One answer for a text or a pair of texts, read at its first token. As in the Python library the model's pooler is
/// used only where `use_pooler` says so, for BERT too.
public struct ClassificationHead: Head {
  public static let types = ["classification"]

  private let layers: HeadLayers
  private let usesPooler: Bool

  public init(configuration c: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    usesPooler = try c.optionalBool("use_pooler") ?? false
    layers = try HeadLayers(c, hidden: shape.hiddenSize, from: weights, hasLastBias: try c.optionalBool("bias") ?? true)
  }

  public var labels: [String] { layers.labels }
  public var answersTokens: Bool { false }
  public var parameters: [Parameter] { layers.parameters }

  public func callAsFunction(_ hidden: Tensor, _ sequences: Sequences, base: any BaseModel, in context: Context) throws -> Tensor {
    guard usesPooler else { return layers(context.rows(hidden, sequences.firstRows), in: context) }
    guard let pooled = base.pooled(hidden, sequences, in: context) else {
      throw Failure(.unsupportedHead, "the head wants the pooler's output, and the base model has no pooler", at: "use_pooler")
    }
    return layers(pooled, in: context)
  }
}
