public import HubTensor

/// A transformer layer that normalises after each sublayer, as BERT's (Devlin et al. 2019).
public struct PostNormLayer: Sendable {
  /// Where a checkpoint keeps the parts of a layer.
  public struct Names: Sendable {
    var layers = "encoder.layer"
    var query = "attention.self.query", key = "attention.self.key", value = "attention.self.value"
    var attentionOutput = "attention.output.dense", attentionNorm = "attention.output.LayerNorm"
    var intermediate = "intermediate.dense", output = "output.dense", outputNorm = "output.LayerNorm"

    func weightName(at site: Site) -> String? {
      let module: String? =
        switch site.place {
        case .query: query
        case .key: key
        case .value: value
        case .attentionOutput: attentionOutput
        case .intermediate: intermediate
        case .output: output
        case .prefix, .attention, .feedForward, .layer: nil
        }
      return module.map { "\(layers).\(site.layer).\($0).weight" }
    }
  }

  private let index: Int
  private let heads: Int
  private let query, key, value, attentionOutput: Linear
  private let attentionNorm: LayerNorm
  private let intermediate, output: Linear
  private let outputNorm: LayerNorm
  private let activation: Activation
  private let normalizesAgain: Bool

  /// - Parameter normalizesAgain: whether the last norm is applied once more, as in X-MOD
  init(
    from weights: ParameterSource, _ c: EncoderConfiguration, _ names: Names, index: Int, normalizesAgain: Bool
  ) throws {
    try self.init(
      from: weights, names, index: index, hiddenSize: c.hiddenSize, intermediateSize: c.intermediateSize,
      heads: c.heads, activation: c.activation,
      layerNormEpsilon: c.layerNormEpsilon, normalizesAgain: normalizesAgain)
  }

  /// A layer of its own, with BERT's names.
  ///
  /// - Parameter heads: must divide `hiddenSize`
  public init(
    from weights: ParameterSource, index: Int, hiddenSize: Int, intermediateSize: Int, heads: Int,
    activation: Activation, layerNormEpsilon: Float
  ) throws {
    try self.init(
      from: weights, Names(), index: index, hiddenSize: hiddenSize, intermediateSize: intermediateSize, heads: heads,
      activation: activation,
      layerNormEpsilon: layerNormEpsilon, normalizesAgain: false)
  }

  private init(
    from weights: ParameterSource, _ names: Names, index: Int, hiddenSize: Int, intermediateSize: Int, heads: Int,
    activation: Activation,
    layerNormEpsilon: Float, normalizesAgain: Bool
  ) throws {
    self.index = index
    self.heads = heads
    self.activation = activation
    self.normalizesAgain = normalizesAgain
    query = try Linear(from: weights[names.query], hiddenSize, hiddenSize)
    key = try Linear(from: weights[names.key], hiddenSize, hiddenSize)
    value = try Linear(from: weights[names.value], hiddenSize, hiddenSize)
    attentionOutput = try Linear(from: weights[names.attentionOutput], hiddenSize, hiddenSize)
    attentionNorm = try LayerNorm(from: weights[names.attentionNorm], hiddenSize, epsilon: layerNormEpsilon)
    intermediate = try Linear(from: weights[names.intermediate], hiddenSize, intermediateSize)
    output = try Linear(from: weights[names.output], intermediateSize, hiddenSize)
    outputNorm = try LayerNorm(from: weights[names.outputNorm], hiddenSize, epsilon: layerNormEpsilon)
  }

  /// Where adapters multiplied rows, everything that joins them is repeated.
  public func callAsFunction(
    _ x: Tensor, _ sequences: Sequences, unseen: Set<Int> = [], with adapters: some Interventions, in cx: Context
  ) -> Tensor {
    let attended = attention(x, sequences, unseen: unseen, with: adapters, in: cx)
    let sequences = sequences.repeated(toRows: attended.rows)
    let inner = adapters.projected(
      Projection(intermediate, of: attended, then: activation, sequences), at: Site(index, .intermediate), in: cx)
    let outer = adapters.projected(
      Projection(output, of: inner, sequences.repeated(toRows: inner.rows)), at: Site(index, .output), in: cx)
    let input = cx.repeated(x, toRows: outer.rows)
    let result = adapters.sublayer(
      Sublayer(output: outer, residual: cx.repeated(attended, toRows: outer.rows), layerInput: input, norm: outputNorm),
      at: Site(index, .feedForward),
      in: cx)
    let output = normalizesAgain ? outputNorm(result, in: cx) : result
    return adapters.layer(output, of: cx.repeated(input, toRows: result.rows), at: index, in: cx)
  }

  private func attention(
    _ x: Tensor, _ sequences: Sequences, unseen: Set<Int>, with adapters: some Interventions, in cx: Context
  ) -> Tensor {
    let q = adapters.projected(Projection(query, of: x, sequences), at: Site(index, .query), in: cx)
    let k = adapters.projected(Projection(key, of: x, sequences), at: Site(index, .key), in: cx)
    let v = adapters.projected(Projection(value, of: x, sequences), at: Site(index, .value), in: cx)
    let prefix = adapters.prefix(x, sequences, at: Site(index, .prefix), in: cx)
    let copies = prefix.map { $0.rows.count / max(1, sequences.count) } ?? 1
    let rows = max(q.rows, k.rows, v.rows, copies * x.rows), sequences = sequences.repeated(toRows: rows)
    let (allQ, allK, allV) = (cx.repeated(q, toRows: rows), cx.repeated(k, toRows: rows), cx.repeated(v, toRows: rows))
    let context = cx.attention(allQ, allK, allV, in: sequences, heads: heads, prefixes: prefix, unseen: unseen)
    let output = adapters.projected(
      Projection(attentionOutput, of: context, sequences), at: Site(index, .attentionOutput), in: cx)
    let input = cx.repeated(x, toRows: output.rows)
    return adapters.sublayer(
      Sublayer(output: output, residual: input, layerInput: input, norm: attentionNorm), at: Site(index, .attention),
      in: cx)
  }

  var linears: [Linear] { [query, key, value, attentionOutput, intermediate, output] }
  public var parameters: [Parameter] {
    linears.flatMap(\.parameters) + attentionNorm.parameters + outputNorm.parameters
  }
}

extension Context {
  /// Copies of all rows, one behind the other, until there are `count`.
  fileprivate func repeated(_ x: Tensor, toRows count: Int) -> Tensor {
    x.rows == count || x.rows == 0 ? x : repeated(x, count / x.rows)
  }
}
