public import HubManifest
public import HubTensor
public import HubTransformer

/// Adapters of linear layers: LoRA (Hu et al. 2022), (IA)³ (Liu et al. 2022), DoRA (Liu et al. 2024), VeRA (Kopiczko
/// et al. 2024) and VeRA with DoRA's magnitudes.
///
/// - LoRA: `W x + b + s·B A x` with `s = alpha / r`; a gate takes the place of `s`, as in the Python library.
/// - (IA)³: `(W x + b) ⊙ l · alpha`. As in the library, `l` acts before the activation of the feed-forward block.
/// - DoRA: `m / ‖W + B A‖ ⊙ (W x + b + s·B A x)`. As in the library, the norm is that without `s` and is differentiated
///   through, and the bias is scaled, too.
/// - VeRA: `W x + b + s·(b B) (d A) x`. As in the library, `d` and `b` are square matrices; `A` and `B` are frozen and one
///   for all layers, so that these must have one shape.
///
/// In a stack the second adapter reads the contribution of the first: `b(a(x))`, not `a(x) + b(x)`.
public struct LoRA: AdapterMethod {
  public static let architecture: String? = "lora"

  let units: [Site: any LinearUnit]
  private let shared: [Parameter]

  public init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    let c = try LoRAConfiguration(configuration)
    let sites = c.sites(shape)
    let shared = try Self.shared(c, sites, shape, from: weights["shared"])
    self.shared = shared.map { [$0.a, $0.b] } ?? []
    var units: [Site: any LinearUnit] = [:]
    for site in sites {
      let source = weights["layers"][site.layer][site.place.rawValue], widths = shape.widths(at: site.place)
      units[site] = try Self.unit(c, widths, shared, from: source)
    }
    self.units = units
  }

  private static func shared(
    _ c: LoRAConfiguration, _ sites: [Site], _ shape: BaseShape, from weights: ParameterSource
  ) throws -> (a: Parameter, b: Parameter)? {
    guard case .vera = c.kind, let first = sites.first else { return nil }
    let widths = shape.widths(at: first.place)
    guard sites.allSatisfy({ shape.widths(at: $0.place) == widths }) else {
      throw Failure(.invalidConfiguration, "the layers share their matrices, and have different shapes", at: "vera_d", hint: "adapt layers of one shape only")
    }
    let a = try weights.parameter("lora_a", [c.rank, widths.input], initially: c.initialWeights.a)
    return (a, try weights.parameter("lora_b", [widths.output, c.rank], initially: c.initialWeights.b))
  }

  private static func unit(
    _ c: LoRAConfiguration, _ widths: (input: Int, output: Int), _ shared: (a: Parameter, b: Parameter)?, from weights: ParameterSource
  ) throws -> any LinearUnit {
    switch (c.kind, shared) {
    case (.scale, _):
      return try ScaleUnit(c, widths, from: weights)
    case (.vera(let d, let b), let shared?):
      let update = VectorUpdate(
        a: shared.a, b: shared.b, inner: try weights.parameter("vera_d", [c.rank, c.rank], initially: .diagonal(d)),
        outer: try weights.parameter("vera_b", [widths.output, widths.output], initially: .diagonal(b)))
      return try UpdateUnit(c, widths, update, from: weights)
    case (.lowRank, _), (.vera, nil):
      let update = LowRankUpdate(
        a: try weights.parameter("lora_a", [c.rank, widths.input], initially: c.initialWeights.a),
        b: try weights.parameter("lora_b", [widths.output, c.rank], initially: c.initialWeights.b))
      return try UpdateUnit(c, widths, update, from: weights)
    }
  }

  public var sites: Set<Site> { Set(units.keys) }
  public func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? { units[site] }
  public var parameters: [Parameter] { shared + units.sorted { $0.key < $1.key }.flatMap(\.value.parameters) }
  public var frozenParameters: [Parameter] { shared }
}
