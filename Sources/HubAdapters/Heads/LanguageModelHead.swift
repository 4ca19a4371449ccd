public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Which word stands at each token: a dense layer, an activation, a layer norm, and a layer as wide as the vocabulary
/// (Devlin et al. 2019). What the invertible adapter did to the embeddings is undone before the last layer.
///
/// Files hold a copy of the last layer, which is the base model's word embeddings and stays frozen. On an encoder a
/// causal head sees the tokens that follow, too.
public struct LanguageModelHead: Head {
  public static let types = ["masked_lm", "causal_lm"]

  private let dense: Linear?
  private let activation: Activation
  private let norm: LayerNorm?
  private let decoder: Linear

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    func size(_ key: String, upTo limit: Int) throws -> Int {
      let value = try c.integer(key)
      guard (1...limit).contains(value) else {
        throw Failure(.invalidHead, "\(value) is not between 1 and \(limit)", at: c.path(to: key))
      }
      return value
    }
    let vocabulary = try size("vocab_size", upTo: 1 << 24)
    let isMasked = try c.string("head_type") == "masked_lm",
      layers = try c.optionalInteger("layers") ?? (isMasked ? 2 : 1)
    guard (1...2).contains(layers) else {
      throw Failure(.invalidHead, "a language model has 1 or 2 layers, not \(layers)", at: c.path(to: "layers"))
    }
    let width = layers == 2 ? try size("embedding_size", upTo: 65_536) : shape.hiddenSize
    activation = layers == 2 ? try Activation.ofHead(c) : .identity
    dense = layers == 2 ? try Linear(from: weights["dense"], shape.hiddenSize, width) : nil
    let hasNorm = try c.optionalBool("layer_norm") ?? isMasked
    norm = layers == 2 && hasNorm ? try LayerNorm(from: weights["norm"], width, epsilon: shape.layerNormEpsilon) : nil
    decoder = try Linear(from: weights["decoder"], width, vocabulary, bias: try c.optionalBool("bias") ?? isMasked)
  }

  public var labels: [String] { [] }
  public var answer: HeadAnswer { .word }
  public var parameters: [Parameter] { (dense?.parameters ?? []) + (norm?.parameters ?? []) + decoder.parameters }
  public var frozenParameters: [Parameter] { decoder.parameters }

  public func logits(_ input: HeadInput, in cx: Context) throws -> Tensor {
    var x = dense.map { $0(input.hidden, then: activation, in: cx) } ?? input.hidden
    if let norm { x = norm(x, in: cx) }
    if let inverting = input.inverting {
      guard x.columns == input.base.shape.embeddingSize else {
        throw Failure(
          .unsupportedHead,
          "the invertible adapter is for \(input.base.shape.embeddingSize) columns, the head gives \(x.columns)",
          at: "embedding_size")
      }
      x = inverting.inverse(x, in: cx)
    }
    return decoder(x, in: cx)
  }
}
