import HubTensor

/// A transformer layer that normalises after each sublayer, as BERT's (Devlin et al. 2019).
struct PostNormLayer: Sendable {
  private let index: Int
  private let heads: Int
  private let query, key, value, attentionOutput: Linear
  private let attentionNorm: LayerNorm
  private let intermediate, output: Linear
  private let outputNorm: LayerNorm
  private let activation: Activation

  init(from weights: ParameterSource, _ c: EncoderConfiguration, index: Int) throws {
    self.index = index
    heads = c.heads
    activation = c.activation
    let attention = weights["attention"]
    query = try Linear(from: attention["self"]["query"], c.hiddenSize, c.hiddenSize)
    key = try Linear(from: attention["self"]["key"], c.hiddenSize, c.hiddenSize)
    value = try Linear(from: attention["self"]["value"], c.hiddenSize, c.hiddenSize)
    attentionOutput = try Linear(from: attention["output"]["dense"], c.hiddenSize, c.hiddenSize)
    attentionNorm = try LayerNorm(from: attention["output"]["LayerNorm"], c.hiddenSize, epsilon: c.layerNormEpsilon)
    intermediate = try Linear(from: weights["intermediate"]["dense"], c.hiddenSize, c.intermediateSize)
    output = try Linear(from: weights["output"]["dense"], c.intermediateSize, c.hiddenSize)
    outputNorm = try LayerNorm(from: weights["output"]["LayerNorm"], c.hiddenSize, epsilon: c.layerNormEpsilon)
  }

  func callAsFunction(_ x: Tensor, _ sequences: Sequences, with adapters: some Interventions, in cx: Context) -> Tensor {
    let context = cx.attention(query(x, in: cx), key(x, in: cx), value(x, in: cx), in: sequences, heads: heads)
    let attended = adapters.sublayer(
      Sublayer(output: attentionOutput(context, in: cx), residual: x, norm: attentionNorm), at: Site(index, .attention), in: cx)
    let inner = intermediate(attended, then: activation, in: cx)
    let result = adapters.sublayer(
      Sublayer(output: output(inner, in: cx), residual: attended, norm: outputNorm), at: Site(index, .feedForward), in: cx)
    return adapters.layer(result, at: index, in: cx)
  }

  var linears: [Linear] { [query, key, value, attentionOutput, intermediate, output] }
}
