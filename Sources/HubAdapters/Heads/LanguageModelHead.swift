public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Which word stands at each token: dense layers, each with an activation and a layer norm, usually one, and a layer as
/// wide as the vocabulary (Devlin et al. 2019). What the invertible adapter did to the embeddings is undone before the
/// last layer.
///
/// Files hold a copy of the last layer, which is the base model's word embeddings and stays frozen. On an encoder a
/// causal head sees the tokens that follow, too; on a decoder it names the next word.
public struct LanguageModelHead: Head {
  public static let types = ["masked_lm", "causal_lm", "seq2seq_lm"]

  /// The layers before the last one, with their norms.
  private let inner: [(dense: Linear, norm: LayerNorm?)]
  private let activation: Activation
  private let decoder: Linear

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    func size(_ key: String, upTo limit: Int) throws -> Int {
      let value = try c.integer(key)
      guard (1...limit).contains(value) else {
        throw Failure.outside(1...limit, value, .invalidHead, at: c.path(to: key))
      }
      return value
    }
    let vocabulary = try size("vocab_size", upTo: 1 << 24)
    let isMasked = try c.string("head_type") == "masked_lm",
      layers = try c.optionalInteger("layers") ?? (isMasked ? 2 : 1)
    guard (1...16).contains(layers) else {
      throw Failure(.invalidHead, "a language model has 1 to 16 layers, not \(layers)", at: c.path(to: "layers"))
    }
    let width = layers > 1 ? try size("embedding_size", upTo: 65_536) : shape.hiddenSize
    activation = layers > 1 ? try Activation.ofHead(c) : .identity
    let hasNorm = try c.optionalBool("layer_norm") ?? isMasked
    inner = try (0..<layers - 1).map { index in
      let (dense, norm) =
        index == 0 ? (weights["dense"], weights["norm"]) : (weights["dense"][index], weights["norm"][index])
      return (
        try Linear(from: dense, index == 0 ? shape.hiddenSize : width, width),
        hasNorm ? try LayerNorm(from: norm, width, epsilon: shape.layerNormEpsilon) : nil
      )
    }
    decoder = try Linear(from: weights["decoder"], width, vocabulary, bias: try c.optionalBool("bias") ?? isMasked)
  }

  public var labels: [String] { [] }
  public var answer: HeadAnswer { .word }
  public var parameters: [Parameter] {
    inner.flatMap { $0.dense.parameters + ($0.norm?.parameters ?? []) } + decoder.parameters
  }
  public var frozenParameters: [Parameter] { decoder.parameters }

  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    var x = inner.reduce(input.tokens(in: context)) { x, layer in
      let y = layer.dense(x, then: activation, in: context)
      return layer.norm.map { $0(y, in: context) } ?? y
    }
    if let inverting = input.inverting {
      guard x.columns == input.base.shape.embeddingSize else {
        throw Failure(
          .unsupportedHead,
          "the invertible adapter is for \(input.base.shape.embeddingSize) columns, but the head gives \(x.columns)",
          at: "embedding_size")
      }
      x = inverting.inverse(x, in: context)
    }
    return decoder(x, in: context)
  }
}
