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

  /// Where adapters multiplied rows, everything that joins them is repeated.
  func callAsFunction(_ x: Tensor, _ sequences: Sequences, with adapters: some Interventions, in cx: Context) -> Tensor {
    let attended = attention(x, sequences, with: adapters, in: cx)
    let sequences = sequences.repeated(toRows: attended.rows)
    let inner = adapters.projected(Projection(intermediate, of: attended, then: activation, sequences), at: Site(index, .intermediate), in: cx)
    let outer = adapters.projected(
      Projection(output, of: inner, sequences.repeated(toRows: inner.rows)), at: Site(index, .output), in: cx)
    let result = adapters.sublayer(
      Sublayer(output: outer, residual: cx.repeated(attended, toRows: outer.rows), norm: outputNorm), at: Site(index, .feedForward), in: cx)
    return adapters.layer(result, at: index, in: cx)
  }

  private func attention(_ x: Tensor, _ sequences: Sequences, with adapters: some Interventions, in cx: Context) -> Tensor {
    let q = adapters.projected(Projection(query, of: x, sequences), at: Site(index, .query), in: cx)
    let k = adapters.projected(Projection(key, of: x, sequences), at: Site(index, .key), in: cx)
    let v = adapters.projected(Projection(value, of: x, sequences), at: Site(index, .value), in: cx)
    let prefix = adapters.prefix(x, sequences, at: Site(index, .prefix), in: cx)
    let copies = prefix.map { $0.rows.count / max(1, sequences.count) } ?? 1
    let rows = max(q.rows, k.rows, v.rows, copies * x.rows), sequences = sequences.repeated(toRows: rows)
    let (allQ, allK, allV) = (cx.repeated(q, toRows: rows), cx.repeated(k, toRows: rows), cx.repeated(v, toRows: rows))
    let context =
      prefix.map { cx.attention(allQ, allK, allV, in: sequences, heads: heads, prefixes: $0) }
      ?? cx.attention(allQ, allK, allV, in: sequences, heads: heads)
    let output = adapters.projected(Projection(attentionOutput, of: context, sequences), at: Site(index, .attentionOutput), in: cx)
    return adapters.sublayer(
      Sublayer(output: output, residual: cx.repeated(x, toRows: output.rows), norm: attentionNorm), at: Site(index, .attention), in: cx)
  }

  static func weightName(at site: Site) -> String? {
    let module: String? =
      switch site.place {
      case .query, .key, .value: "attention.self.\(site.place.rawValue)"
      case .attentionOutput: "attention.output.dense"
      case .intermediate, .output: "\(site.place.rawValue).dense"
      case .prefix, .attention, .feedForward, .layer: nil
      }
    return module.map { "encoder.layer.\(site.layer).\($0).weight" }
  }

  var linears: [Linear] { [query, key, value, attentionOutput, intermediate, output] }
}

extension Context {
  /// Copies of all rows, one behind the other, until there are `count`.
  fileprivate func repeated(_ x: Tensor, toRows count: Int) -> Tensor { x.rows == count || x.rows == 0 ? x : repeated(x, count / x.rows) }
}
