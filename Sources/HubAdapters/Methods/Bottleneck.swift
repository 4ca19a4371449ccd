public import HubManifest
public import HubTensor
public import HubTransformer

/// Bottleneck adapters: down projection, non-linearity, up projection (Houlsby et al. 2019; Pfeiffer et al. 2020;
/// He et al. 2022), with the invertible adapter of MAD-X where the configuration has one.
///
/// As in the Python library, a stacked adapter that normalises first adds the sublayer's residual and applies the
/// layer norm again. A fusion attends over what comes before the gate.
public struct Bottleneck: AdapterMethod {
  public static let architecture: String? = nil

  private let blocks: [Site: BottleneckBlock]
  private let invertible: NICE?

  public init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    let c = try BottleneckConfiguration(configuration)
    var blocks: [Site: BottleneckBlock] = [:]
    for layer in 0..<shape.layers {
      for place in c.places(inLayer: layer) {
        let bottleneck = try c.bottleneck(inLayer: layer, of: shape.hiddenSize)
        let source = weights["layers"][layer][place.rawValue]
        blocks[Site(layer, place)] = try BottleneckBlock(c, hidden: shape.hiddenSize, bottleneck: bottleneck, from: source)
      }
    }
    self.blocks = blocks
    invertible = try c.invertibleReduction.map {
      try NICE(width: shape.embeddingSize, reduction: $0, activation: c.activation, from: weights["invertible"])
    }
  }

  public var sites: Set<Site> { Set(blocks.keys) }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { blocks[site] }
  public var embeddingAdapter: (any EmbeddingAdapter)? { invertible }

  public var parameters: [Parameter] {
    (invertible?.parameters ?? []) + blocks.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }
}

/// The adapter of one site: `A(t) = up(activation(down(t)))`.
struct BottleneckBlock: SublayerAdapter {
  private let configuration: BottleneckConfiguration
  private let down, up: Linear
  private let normBefore, normAfter: LayerNorm?
  private let scaling: Parameter?
  private let gate: Linear?

  init(_ c: BottleneckConfiguration, hidden: Int, bottleneck: Int, from weights: ParameterSource) throws {
    configuration = c
    // The adapter's own norms have this epsilon whatever the base model's is.
    normBefore = c.hasNormBefore ? try LayerNorm(from: weights["norm_before"], hidden, epsilon: 1e-5) : nil
    down = try Linear(from: weights["down"], hidden, bottleneck, initially: c.initialWeights)
    up = try Linear(from: weights["up"], bottleneck, hidden, initially: c.initialUpWeights)
    normAfter = c.hasNormAfter ? try LayerNorm(from: weights["norm_after"], hidden, epsilon: 1e-5) : nil
    scaling =
      switch c.scaling {
      case .constant: nil
      case .learned: try weights.parameter("scaling", [1], initially: .ones)
      case .channel: try weights.parameter("scaling", [hidden], initially: .ones)
      }
    gate = c.isGated ? try Linear(from: weights["gate"], hidden, 1) : nil
  }

  var parameters: [Parameter] {
    (normBefore?.parameters ?? []) + down.parameters + up.parameters + (normAfter?.parameters ?? []) + (scaling.map { [$0] } ?? [])
      + (gate?.parameters ?? [])
  }

  func prepared(_ h: Tensor, in sublayer: Sublayer, _ cx: Context) -> PreparedInput {
    let x = sublayer.residual
    if configuration.isParallel { return PreparedInput(input: x, residual: x, raw: x) }
    guard configuration.normalizesFirst else { return PreparedInput(input: h, residual: h, raw: h) }
    let input = sublayer.joined(h, in: cx)
    let residual =
      switch configuration.residual {
      case .beforeNorm: h
      case .afterNorm: input
      case .sum: cx.add(h, x)
      }
    return PreparedInput(input: input, residual: residual, raw: h)
  }

  func contribution(_ input: Tensor, in cx: Context) -> Tensor { contribution(input, plus: nil, in: cx) }

  private func contribution(_ input: Tensor, plus residual: Tensor?, in cx: Context) -> Tensor {
    let normed = normBefore.map { $0(input, in: cx) } ?? input
    let inner = down(normed, then: configuration.activation, in: cx)
    if case .constant(let factor) = configuration.scaling { return up(inner, scale: factor, plus: residual, in: cx) }
    var result = up(inner, in: cx)
    if let scaling { result = cx.multiply(result, by: scaling) }
    return residual.map { cx.add(result, $0) } ?? result
  }

  /// A parallel adapter adds no residual here: it joins the sublayer's output at the end.
  func output(_ prepared: PreparedInput, _ gating: Gating, in cx: Context) -> Tensor {
    let residual = configuration.isParallel ? nil : prepared.residual
    guard let normAfter else { return gated(prepared.input, plus: residual, gating, in: cx) }
    if configuration.addsResidualBeforeNorm { return normAfter(gated(prepared.input, plus: residual, gating, in: cx), in: cx) }
    let normed = normAfter(gated(prepared.input, plus: nil, gating, in: cx), in: cx)
    return residual.map { cx.add(normed, $0) } ?? normed
  }

  private func gated(_ input: Tensor, plus residual: Tensor?, _ gating: Gating, in cx: Context) -> Tensor {
    guard let gate else { return contribution(input, plus: residual, in: cx) }
    let result = gating(contribution(input, in: cx), by: gate(input, in: cx), in: cx)
    return residual.map { cx.add(result, $0) } ?? result
  }

  func joined(_ output: Tensor, in sublayer: Sublayer, _ cx: Context) -> Tensor {
    let result = configuration.isParallel ? cx.add(output, sublayer.output) : output
    return configuration.normalizesLast ? sublayer.joined(result, in: cx) : result
  }
}
