public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Adapters of linear layers: LoRA (Hu et al. 2022), (IA)³ (Liu et al. 2022), DoRA (Liu et al. 2024), VeRA (Kopiczko
/// et al. 2024) and VeRA with DoRA's magnitudes.
///
/// - LoRA: `W x + b + s·B A x` with `s = alpha / r`; a gate takes the place of `s`, as in the Python library.
/// - (IA)³: `(W x + b) ⊙ l · alpha`. As in the library, `l` acts before the activation of the feed-forward block.
/// - DoRA: `m / ‖W + B A‖ ⊙ (W x + b + s·B A x)`. As in the library, the norm is that without `s` and is differentiated
///   through, and the bias is scaled, too.
///   PEFT and the paper (`dora_form`): `b + m / ‖W + s·B A‖ ⊙ (W + s·B A) x`, the norm being a constant in training.
/// - What PEFT's LoKr comes to: `W x + b + M x`; its OFT and BOFT: `s ⊙ W M x + b`.
/// - VeRA: `W x + b + s·(b B) (d A) x`. As in the library, `d` and `b` are square matrices; `A` and `B` are frozen and
///   one for all layers, so that these must have one shape.
///
/// In a stack the second adapter reads the contribution of the first: `b(a(x))`, not `a(x) + b(x)`.
public struct LoRA: AdapterMethod {
  public static let architecture: String? = "lora"

  let units: [Site: any LinearUnit]
  private let shared: [Parameter]

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let c = try LoRAConfiguration(configuration), targets = try c.targets(shape)
    let shared = try Self.shared(c, targets, shape, from: weights["shared"])
    self.shared = shared.map { [$0.a, $0.b] } ?? []
    var units: [Site: any LinearUnit] = [:]
    for target in targets {
      let site = target.site, source = weights["layers"][site.layer][site.place.rawValue]
      units[site] = try Self.unit(c, target, shape.widths(at: site.place), shared, from: source)
    }
    self.units = units
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    ImpliedSizes(weights, named: configuration.leftOutLayers).readingLinearLayers(weights, hiddenSize: hiddenSize)
  }

  private static func shared(
    _ c: LoRAConfiguration, _ targets: [LoRAConfiguration.Target], _ shape: ModelShape, from weights: ParameterSource
  ) throws -> (a: Parameter, b: Parameter)? {
    guard case .vera = c.kind, let first = targets.first else { return nil }
    let widths = shape.widths(at: first.site.place)
    guard targets.allSatisfy({ shape.widths(at: $0.site.place) == widths && $0.rank == first.rank }) else {
      throw Failure(
        .invalidConfiguration, "the layers share their matrices, but have different shapes", at: "vera_d",
        hint: "adapt layers of one shape only")
    }
    let a = try weights.parameter("lora_a", [first.rank, widths.input], initially: c.initialWeights.a)
    return (a, try weights.parameter("lora_b", [widths.output, first.rank], initially: c.initialWeights.b))
  }

  private static func unit(
    _ c: LoRAConfiguration, _ target: LoRAConfiguration.Target, _ widths: (input: Int, output: Int),
    _ shared: (a: Parameter, b: Parameter)?,
    from weights: ParameterSource
  ) throws -> any LinearUnit {
    let rank = target.rank
    switch target.form {
    case .usual: break
    case .matrix:
      let update = MatrixUpdate(
        matrix: try weights.parameter("matrix", [widths.output, widths.input], initially: .zeros))
      return try UpdateUnit(c, target, widths, update, from: weights)
    case .rotation, .scaledRotation: return try RotationUnit(target, widths, from: weights)
    }
    switch (c.kind, shared) {
    case (.scale, _):
      return target.scalesInput
        ? try InputScaleUnit(c, target, widths, from: weights) : try ScaleUnit(c, target, widths, from: weights)
    case (.vera(let d, let b), let shared?):
      let update = VectorUpdate(
        a: shared.a, b: shared.b, inner: try weights.parameter("vera_d", [rank, rank], initially: .diagonal(d)),
        outer: try weights.parameter("vera_b", [widths.output, widths.output], initially: .diagonal(b)))
      return try UpdateUnit(c, target, widths, update, from: weights)
    case (.lowRank, _), (.vera, nil):
      let update = LowRankUpdate(
        a: try weights.parameter("lora_a", [rank, widths.input], initially: c.initialWeights.a),
        b: try weights.parameter("lora_b", [widths.output, rank], initially: c.initialWeights.b),
        bias: c.hasBias ? try weights.parameter("lora_b_bias", [widths.output]) : nil)
      return try UpdateUnit(c, target, widths, update, from: weights)
    }
  }

  public var looksAtWholeTexts: Bool { hasGates }
  public var sites: Set<Site> { Set(units.keys) }
  public func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? { units[site] }
  public var parameters: [Parameter] { shared + units.sorted { $0.key < $1.key }.flatMap(\.value.parameters) }
  public var frozenParameters: [Parameter] { shared }
}
