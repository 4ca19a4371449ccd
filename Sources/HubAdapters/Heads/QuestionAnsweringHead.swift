public import HubManifest
public import HubTensor
public import HubTransformer

/// Where in a text the answer to a question stands: for each token, how well an answer begins (column 0) and ends there.
public struct QuestionAnsweringHead: Head {
  public static let types = ["question_answering"]

  private let layers: HeadLayers

  public init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    layers = try HeadLayers(configuration, hidden: shape.hiddenSize, from: weights, outputs: 2)
  }

  public var labels: [String] { ["start", "end"] }
  public var answer: HeadAnswer { .span }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor { layers(input.hidden, in: context) }

  public func loss(_ logits: Tensor, labels: [Int?], in context: Context) throws -> Tensor {
    throw Failure(.unsupportedHead, "one label for each token does not train a head that finds spans")
  }
}
