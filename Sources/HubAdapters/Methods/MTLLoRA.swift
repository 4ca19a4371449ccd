public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// MTL-LoRA (Yang et al. 2024): LoRA whose tasks share `A`, with a diagonal matrix and several second factors for each:
/// `W x + b + s·Σ wₖ Bₖ Λ A x`, `w = softmax(weights / sharpness)`, `s = alpha / r`.
///
/// Each task is an adapter of its own, and `multi_task(…)` gives each sequence that of its task.
public struct MTLLoRA: AdapterMethod {
  public static let architecture: String? = "mtl_lora"

  private let units: [Site: UpdateUnit]

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let c = try LoRAConfiguration(
      configuration, others: ["n_up_projection", "task_specific_matrix_type", "weights_sharpness"])
    guard case .lowRank = c.kind, c.magnitude == nil, !c.isGated else {
      throw Failure(
        .invalidConfiguration, "MTL-LoRA adds a product of low rank, without gates or magnitudes",
        at: configuration.path(to: "composition_mode"))
    }
    let type = try configuration.optionalString("task_specific_matrix_type") ?? "singular_values"
    guard type == "singular_values" else {
      throw Failure(
        .unsupportedAdapter, "a task's matrix must be \"singular_values\", not \(type.debugDescription)",
        at: configuration.path(to: "task_specific_matrix_type"), hint: "the Python library cannot run others")
    }
    let count = try configuration.optionalInteger("n_up_projection") ?? 1
    guard (1...64).contains(count) else {
      throw Failure.outside(1...64, count, .invalidConfiguration, at: configuration.path(to: "n_up_projection"))
    }
    let sharpness = Float(try configuration.optionalNumber("weights_sharpness") ?? 0.05)
    guard sharpness > 0 else {
      throw Failure(
        .invalidConfiguration, "the sharpness must be above 0, not \(sharpness)",
        at: configuration.path(to: "weights_sharpness"))
    }
    var units: [Site: UpdateUnit] = [:]
    for target in try c.targets(shape) {
      let site = target.site, widths = shape.widths(at: site.place),
        source = weights["layers"][site.layer][site.place.rawValue]
      let update = TaskUpdate(
        a: try source.parameter("lora_a", [target.rank, widths.input], initially: c.initialWeights.a),
        b: try source.parameter("lora_b", [count, widths.output, target.rank], initially: c.initialWeights.b),
        values: try source.parameter("task_values", [target.rank], initially: .ones),
        weights: try source.parameter("task_weights", [count], initially: .ones), sharpness: sharpness)
      units[site] = try UpdateUnit(c, target, widths, update, from: source)
    }
    self.units = units
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    LoRA.impliedSizes(configuration, weights, hiddenSize: hiddenSize)
  }

  public var looksAtWholeTexts: Bool { hasGates }
  public var sites: Set<Site> { Set(units.keys) }
  public func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? { units[site] }
  public var parameters: [Parameter] { units.sorted { $0.key < $1.key }.flatMap(\.value.parameters) }
}

/// `ΔW = Σ wₖ Bₖ Λ A`
private struct TaskUpdate: LinearUpdate {
  private let a, b, values, weights: Parameter
  /// `Σ wₖ Bₖ`, `[out, r]`
  private let up: DerivedParameter

  init(a: Parameter, b: Parameter, values: Parameter, weights: Parameter, sharpness: Float) {
    (self.a, self.b, self.values, self.weights) = (a, b, values, weights)
    let count = weights.count, rank = a.rows
    up = DerivedParameter(from: [b, weights]) { context in
      let all = context.reshaped(context.value(of: b), rows: count, columns: b.count / count)
      let shares = context.softmax(
        context.reshaped(context.value(of: weights), rows: 1, columns: count), temperature: sharpness)
      return context.reshaped(context.product(shares, all), rows: b.count / count / rank, columns: rank)
    }
  }

  private func diagonal(in context: Context) -> Tensor {
    context.reshaped(context.value(of: values), rows: 1, columns: values.count)
  }

  func callAsFunction(_ x: Tensor, scale: Float, plus residual: Tensor?, in context: Context) -> Tensor {
    let inner = context.multiply(context.linear(x, a), columnsBy: diagonal(in: context))
    let result = context.scaled(context.linear(inner, up), by: scale)
    return residual.map { context.add(result, $0) } ?? result
  }

  func matrix(in context: Context) -> Tensor? {
    context.product(context.multiply(up.value(in: context), columnsBy: diagonal(in: context)), context.value(of: a))
  }

  var parameters: [Parameter] { [a, b, values, weights] }
}
