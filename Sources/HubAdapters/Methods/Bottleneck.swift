import HubWeights
public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Bottleneck adapters: down projection, non-linearity, up projection (Houlsby et al. 2019; Pfeiffer et al. 2020;
/// He et al. 2022), with the invertible adapter of MAD-X where the configuration has one. Compacter is these with
/// hypercomplex layers.
///
/// As in the Python library, a stacked adapter that normalises first adds the sublayer's residual and applies the
/// layer norm again. A fusion attends over what comes before the gate.
public struct Bottleneck: AdapterMethod {
  public static let architecture: String? = nil

  private let blocks: [Site: BottleneckBlock]
  private let invertible: NICE?
  private let shared: PHMShared?

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let c = try BottleneckConfiguration(configuration)
    let shared = try Self.shared(c, shape, from: weights["shared"])
    var blocks: [Site: BottleneckBlock] = [:]
    for layer in 0..<shape.layers {
      for place in c.places(inLayer: layer, of: shape) {
        let bottleneck = try c.bottleneck(inLayer: layer, of: shape.hiddenSize)
        let source = weights["layers"][layer][place.rawValue]
        blocks[Site(layer, place)] = try BottleneckBlock(
          c, hidden: shape.hiddenSize, bottleneck: bottleneck, shared: shared, from: source)
      }
    }
    self.blocks = blocks
    self.shared = shared
    invertible = try c.invertibleReduction.map {
      try NICE(width: shape.embeddingSize, reduction: $0, activation: c.activation, from: weights["invertible"])
    }
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    var sizes = ImpliedSizes(weights, named: configuration.leftOutLayers)
    // NICE halves the columns.
    sizes.embeddingSize = weights.tensors["invertible.f.down.weight"]?.shape.last.map { 2 * min($0, 1 << 20) }
    return sizes
  }

  private static func shared(
    _ c: BottleneckConfiguration, _ shape: ModelShape, from weights: ParameterSource
  ) throws -> PHMShared? {
    guard let phm = c.phm else { return nil }
    let widths = Set(
      try (0..<shape.layers).filter { !c.places(inLayer: $0, of: shape).isEmpty }.map {
        try c.bottleneck(inLayer: $0, of: shape.hiddenSize)
      })
    guard !phm.sharesWeights || widths.count <= 1 else {
      throw Failure(.invalidConfiguration, "layers of different widths cannot share their weights", at: "shared_W_phm")
    }
    return try widths.first.map { try PHMShared(phm, hidden: shape.hiddenSize, bottleneck: $0, from: weights) }
  }

  public var looksAtWholeTexts: Bool { hasGates }
  public var sites: Set<Site> { Set(blocks.keys) }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { blocks[site] }
  public var embeddingAdapter: (any EmbeddingAdapter)? { invertible }

  public var parameters: [Parameter] {
    (shared?.parameters ?? []) + (invertible?.parameters ?? [])
      + blocks.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }

  public var frozenParameters: [Parameter] { blocks.values.flatMap(\.frozenParameters) }
}

/// One of the two layers of a bottleneck.
protocol BottleneckLayer: Sendable {
  /// `activation(layer(x)) · scale + residual`
  func callAsFunction(
    _ x: Tensor, then activation: Activation, scale: Float, plus residual: Tensor?, in context: Context
  ) -> Tensor
  /// The weights of an ordinary layer that does the same in this pass, if there are any.
  func projection(in context: Context) -> Context.LinearWeights?
  var parameters: [Parameter] { get }
  var frozenParameters: [Parameter] { get }
}

extension BottleneckLayer {
  func projection(in context: Context) -> Context.LinearWeights? { nil }
  var frozenParameters: [Parameter] { [] }
}

extension Linear: BottleneckLayer {
  func projection(in context: Context) -> Context.LinearWeights? { (weight, bias) }
}

/// The adapter of one site: `A(t) = up(activation(down(t)))`.
struct BottleneckBlock: SublayerAdapter {
  private let configuration: BottleneckConfiguration
  let down, up: any BottleneckLayer
  private let normBefore, normAfter: LayerNorm?
  private let scaling: Parameter?
  private let gate: Linear?

  init(
    _ c: BottleneckConfiguration, hidden: Int, bottleneck: Int, shared: PHMShared?, from weights: ParameterSource
  ) throws {
    configuration = c
    // The adapter's own norms have this epsilon whatever the base model's is.
    normBefore = c.hasNormBefore ? try LayerNorm(from: weights["norm_before"], hidden, epsilon: 1e-5) : nil
    if let phm = c.phm {
      down = try PHMLayer(phm, hidden, bottleneck, shared: (shared?.rules, shared?.down), from: weights["down"])
      up = try PHMLayer(phm, bottleneck, hidden, shared: (shared?.rules, shared?.up), from: weights["up"])
    } else {
      down = try Linear(from: weights["down"], hidden, bottleneck, initially: c.initialWeights)
      up = try Linear(from: weights["up"], bottleneck, hidden, initially: c.initialUpWeights)
    }
    normAfter = c.hasNormAfter ? try LayerNorm(from: weights["norm_after"], hidden, epsilon: 1e-5) : nil
    scaling =
      switch c.scaling {
      case .constant: nil
      case .learned: try weights.parameter("scaling", [1], initially: .ones)
      case .channel: try weights.parameter("scaling", [hidden], initially: .ones)
      }
    gate = c.isGated ? try Linear(from: weights["gate"], hidden, 1) : nil
  }

  /// A block of these layers and nothing else.
  init(_ c: BottleneckConfiguration, down: any BottleneckLayer, up: any BottleneckLayer) {
    configuration = c
    (self.down, self.up) = (down, up)
    (normBefore, normAfter, scaling, gate) = (nil, nil, nil, nil)
  }

  var parameters: [Parameter] {
    (normBefore?.parameters ?? []) + down.parameters + up.parameters + (normAfter?.parameters ?? [])
      + (scaling.map { [$0] } ?? [])
      + (gate?.parameters ?? [])
  }

  var frozenParameters: [Parameter] { down.frozenParameters + up.frozenParameters }

  func prepared(_ h: Tensor, in sublayer: Sublayer, _ context: Context) -> PreparedInput {
    let x = sublayer.residual
    if configuration.isParallel { return PreparedInput(input: x, residual: x, raw: x) }
    guard configuration.normalizesFirst else { return PreparedInput(input: h, residual: h, raw: h) }
    let input = sublayer.joined(h, in: context)
    let residual =
      switch configuration.residual {
      case .beforeNorm: h
      case .afterNorm: input
      case .sum: context.add(h, x)
      }
    return PreparedInput(input: input, residual: residual, raw: h)
  }

  func contribution(_ input: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    contribution(input, plus: nil, in: context)
  }

  private func contribution(_ input: Tensor, plus residual: Tensor?, in context: Context) -> Tensor {
    let normed = normBefore.map { $0(input, in: context) } ?? input
    if case .constant(let factor) = configuration.scaling, let down = down.projection(in: context),
      let up = up.projection(in: context)
    {
      return context.bottleneck(
        normed, down: down, up: up, then: configuration.activation, scale: factor, plus: residual)
    }
    let inner = down(normed, then: configuration.activation, scale: 1, plus: nil, in: context)
    if case .constant(let factor) = configuration.scaling {
      return up(inner, then: .identity, scale: factor, plus: residual, in: context)
    }
    var result = up(inner, then: .identity, scale: 1, plus: nil, in: context)
    if let scaling { result = context.multiply(result, by: scaling) }
    return residual.map { context.add(result, $0) } ?? result
  }

  /// A parallel adapter adds no residual here: it joins the sublayer's output at the end.
  func output(_ prepared: PreparedInput, _ gating: Gating, in context: Context) -> Tensor {
    let residual = configuration.isParallel ? nil : prepared.residual
    guard let normAfter else { return gated(prepared.input, plus: residual, gating, in: context) }
    if configuration.addsResidualBeforeNorm {
      return normAfter(gated(prepared.input, plus: residual, gating, in: context), in: context)
    }
    let normed = normAfter(gated(prepared.input, plus: nil, gating, in: context), in: context)
    return residual.map { context.add(normed, $0) } ?? normed
  }

  private func gated(_ input: Tensor, plus residual: Tensor?, _ gating: Gating, in context: Context) -> Tensor {
    guard gate != nil || context.drops(configuration.dropout) else {
      return contribution(input, plus: residual, in: context)
    }
    let own = context.dropout(contribution(input, plus: nil, in: context), rate: configuration.dropout)
    let result = gate.map { gating(own, by: $0(input, in: context), in: context) } ?? own
    return residual.map { context.add(result, $0) } ?? result
  }

  func joined(_ output: Tensor, in sublayer: Sublayer, _ context: Context) -> Tensor {
    let result = configuration.isParallel ? context.add(output, sublayer.output) : output
    return configuration.normalizesLast ? sublayer.joined(result, in: context) : result
  }
}
