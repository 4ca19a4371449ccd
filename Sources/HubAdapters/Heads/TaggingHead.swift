public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// One answer for each token; a word's is read at its first piece.
public struct TaggingHead: Head {
  public static let types = ["tagging"]

  private let layers: HeadLayers

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    layers = try HeadLayers(configuration, hidden: shape.hiddenSize, from: weights)
  }

  public var labels: [String] { layers.labels }
  public var answer: HeadAnswer { .tokenLabel }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    layers(input.tokens(in: context), in: context)
  }
}
