public import HubModels
public import HubTensor

/// A transformer layer that normalises after each sublayer, as BERT's (Devlin et al. 2019).
public struct PostNormLayer: Sendable {
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
    from weights: ParameterSource, _ c: EncoderConfiguration, _ modules: LayerModules, index: Int,
    normalizesAgain: Bool
  ) throws {
    try self.init(
      from: weights, modules, index: index, hiddenSize: c.hiddenSize, intermediateSize: c.intermediateSize,
      heads: c.heads, activation: c.activation, layerNormEpsilon: c.layerNormEpsilon, normalizesAgain: normalizesAgain)
  }

  /// A layer of its own, with BERT's names unless others are given.
  ///
  /// - Parameter heads: must divide `hiddenSize`
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights``.
  public init(
    from weights: ParameterSource, _ modules: LayerModules = .bert, index: Int, hiddenSize: Int,
    intermediateSize: Int, heads: Int, activation: Activation, layerNormEpsilon: Float, normalizesAgain: Bool = false
  ) throws {
    func linear(_ place: Site.Place, _ input: Int, _ output: Int) throws -> Linear {
      try Linear(from: weights[modules.linear[place] ?? place.rawValue], input, output)
    }
    func norm(_ place: Site.Place) throws -> LayerNorm {
      try LayerNorm(from: weights[modules.norms[place] ?? place.rawValue], hiddenSize, epsilon: layerNormEpsilon)
    }
    self.index = index
    self.heads = heads
    self.activation = activation
    self.normalizesAgain = normalizesAgain
    query = try linear(.query, hiddenSize, hiddenSize)
    key = try linear(.key, hiddenSize, hiddenSize)
    value = try linear(.value, hiddenSize, hiddenSize)
    attentionOutput = try linear(.attentionOutput, hiddenSize, hiddenSize)
    attentionNorm = try norm(.attention)
    intermediate = try linear(.intermediate, hiddenSize, intermediateSize)
    output = try linear(.output, intermediateSize, hiddenSize)
    outputNorm = try norm(.feedForward)
  }

  /// - Parameter unseen: rows of a batch that no other row attends to
  public func callAsFunction(
    _ x: Rows, unseen: Set<Int> = [], with adapters: some Interventions, in cx: Context
  ) -> Rows {
    let attended = attention(x, unseen: unseen, with: adapters, in: cx)
    let inner = adapters.projected(
      Projection(intermediate, of: attended, then: activation), at: at(.intermediate), in: cx)
    let outer = adapters.projected(Projection(output, of: inner), at: at(.output), in: cx)
    let joined = adapters.sublayer(
      Sublayer(output: outer, residual: attended, layerInput: x, norm: outputNorm, in: cx), at: at(.feedForward), in: cx
    )
    let result = normalizesAgain ? joined.with(outputNorm(joined.tensor, in: cx)) : joined
    return adapters.layer(result, of: x, at: index, in: cx)
  }

  private func attention(_ x: Rows, unseen: Set<Int>, with adapters: some Interventions, in cx: Context) -> Rows {
    let q = adapters.projected(Projection(query, of: x), at: at(.query), in: cx)
    let k = adapters.projected(Projection(key, of: x), at: at(.key), in: cx)
    let v = adapters.projected(Projection(value, of: x), at: at(.value), in: cx)
    let prefixes = adapters.prefix(x, at: at(.prefix), in: cx)
    let context = cx.attention(q, k, v, heads: heads, prefixes: prefixes, unseen: unseen)
    let output = adapters.projected(Projection(attentionOutput, of: context), at: at(.attentionOutput), in: cx)
    return adapters.sublayer(
      Sublayer(output: output, residual: x, layerInput: x, norm: attentionNorm, in: cx), at: at(.attention), in: cx)
  }

  private func at(_ place: Site.Place) -> Site { Site(index, place) }

  var linears: [Linear] { [query, key, value, attentionOutput, intermediate, output] }
  /// All weights of the layer.
  public var parameters: [Parameter] {
    linears.flatMap(\.parameters) + attentionNorm.parameters + outputNorm.parameters
  }
}
