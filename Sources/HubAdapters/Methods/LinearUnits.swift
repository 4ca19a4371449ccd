import HubModels
import HubWords
import HubTensor
import HubTransformer

/// The adapter of one linear layer.
protocol LinearUnit: ProjectionAdapter {
  /// The layer with the adapter in it; `nil` if no layer does what the adapter does.
  func folded(into linear: FoldedLinear, as form: FoldedForm, in context: Context) -> FoldedLinear?
  var parameters: [Parameter] { get }
}

/// A change of a linear layer's weight that is never written out: `x ↦ ΔW x`.
protocol LinearUpdate: Sendable {
  /// `scale · ΔW x + residual`, `[rows, out]`
  func callAsFunction(_ x: Tensor, scale: Float, plus residual: Tensor?, in context: Context) -> Tensor
  /// `ΔW`, `[out, in]`; `nil` if the update is more than a matrix.
  func matrix(in context: Context) -> Tensor?
  var parameters: [Parameter] { get }
  /// What ``matrix(in:)`` is computed from.
  var sources: [Parameter] { get }
}

extension LinearUpdate {
  var sources: [Parameter] { parameters }
}

/// Adds an update's result to the layer's output; with a magnitude, scales the sum's columns.
struct UpdateUnit: LinearUnit {
  let canFollow: Bool
  private let update: any LinearUpdate
  private let scale: Float
  private let gate: Linear?
  private let magnitude: Magnitude?
  /// The rate at which training drops what the update reads.
  private let dropout: Float

  private struct Magnitude {
    let form: LoRAConfiguration.Magnitude
    let factors: Parameter
    /// `m / ‖W + ΔW‖`, `[1, out]`
    let ratios: BaseDependentParameter

    /// As in the Python library, the form that acts on the bias knows no scale, and differentiates through the norm.
    init(_ form: LoRAConfiguration.Magnitude, _ factors: Parameter, of update: any LinearUpdate, scale: Float) {
      (self.form, self.factors) = (form, factors)
      ratios = BaseDependentParameter(from: update.sources + [factors]) { weight, context in
        let base = context.value(of: weight)
        guard let matrix = update.matrix(in: context) else { return context.magnitudeRatios(factors, rowsOf: base) }
        if form == .withBias { return context.magnitudeRatios(factors, rowsOf: context.add(base, matrix)) }
        return context.magnitudeRatios(factors, rowsOf: context.add(base, context.scaled(matrix, by: scale)).unrecorded)
      }
    }
  }

  init(
    _ c: LoRAConfiguration, _ target: LoRAConfiguration.Target, _ widths: (input: Int, output: Int),
    _ update: any LinearUpdate,
    from weights: ParameterSource
  ) throws {
    self.update = update
    canFollow = widths.input == widths.output
    scale = target.scaling
    dropout = c.dropout
    gate = c.isGated ? try Linear(from: weights["gate"], widths.input, 1) : nil
    magnitude = try c.magnitude.map {
      Magnitude(
        $0, try weights.parameter("magnitude", [widths.output, 1], initially: .ones), of: update, scale: target.scaling)
    }
  }

  var parameters: [Parameter] { update.parameters + (gate?.parameters ?? []) + (magnitude.map { [$0.factors] } ?? []) }

  func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    let x = context.dropout(h ?? projection.input, rate: dropout)
    guard let gate else { return update(x, scale: scale, plus: nil, in: context) }
    return gating(update(x, scale: 1, plus: nil, in: context), by: gate(projection.input, in: context), in: context)
  }

  func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in context: Context) -> Tensor {
    scaled(context.add(output, contribution), of: projection, in: context)
  }

  func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    let output = projection.applied(in: context)
    guard gate == nil else {
      return joined(contribution(nil, to: projection, gating, in: context), with: output, of: projection, in: context)
    }
    let x = context.dropout(projection.input, rate: dropout)
    return scaled(update(x, scale: scale, plus: output, in: context), of: projection, in: context)
  }

  func folded(into linear: FoldedLinear, as form: FoldedForm, in context: Context) -> FoldedLinear? {
    guard gate == nil, let matrix = update.matrix(in: context) else { return nil }
    let sum = context.add(linear.weight, context.scaled(matrix, by: scale))
    guard let magnitude else { return FoldedLinear(weight: sum, bias: linear.bias) }
    let unscaled = magnitude.form == .withBias ? context.add(linear.weight, matrix) : sum
    let ratios = context.magnitudeRatios(magnitude.factors, rowsOf: unscaled)
    return FoldedLinear(
      weight: context.scalingRows(of: form == .library ? unscaled : sum, by: ratios),
      bias: linear.bias.map { magnitude.form == .withBias ? context.multiply($0, columnsBy: ratios) : $0 })
  }

  private func scaled(_ sum: Tensor, of projection: Projection, in context: Context) -> Tensor {
    guard let magnitude else { return sum }
    let ratios = magnitude.ratios.value(with: projection.linear.weight, in: context)
    guard magnitude.form == .withoutBias, let bias = projection.linear.bias else {
      return context.multiply(sum, columnsBy: ratios)
    }
    let biases = context.rows(
      context.reshaped(context.value(of: bias), rows: 1, columns: bias.count), Array(repeating: 0, count: sum.rows))
    return context.add(context.multiply(context.add(sum, context.scaled(biases, by: -1)), columnsBy: ratios), biases)
  }
}

/// Multiplies the columns of the layer's output.
struct ScaleUnit: LinearUnit {
  let canFollow = true
  private let factors: Parameter
  private let scale: Float
  private let gate: Linear?

  init(
    _ c: LoRAConfiguration, _ target: LoRAConfiguration.Target, _ widths: (input: Int, output: Int),
    from weights: ParameterSource
  ) throws {
    factors = try weights.parameter("lora_b", [widths.output, 1], initially: c.initialWeights.b)
    scale = target.scaling
    gate = c.isGated ? try Linear(from: weights["gate"], widths.input, 1) : nil
  }

  var parameters: [Parameter] { [factors] + (gate?.parameters ?? []) }

  func folded(into linear: FoldedLinear, as form: FoldedForm, in context: Context) -> FoldedLinear? {
    guard gate == nil else { return nil }
    let row = row(in: context)
    return FoldedLinear(
      weight: context.scalingRows(of: linear.weight, by: row),
      bias: linear.bias.map { context.multiply($0, columnsBy: row) })
  }

  private func row(in context: Context) -> Tensor {
    let row = context.reshaped(context.value(of: factors), rows: 1, columns: factors.count)
    return gate == nil && scale != 1 ? context.scaled(row, by: scale) : row
  }

  func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    let row = row(in: context)
    let product =
      h.map { context.multiply($0, columnsBy: row) }
      ?? context.rows(row, Array(repeating: 0, count: projection.input.rows))
    guard let gate else { return product }
    return gating(product, by: gate(projection.input, in: context), in: context)
  }

  func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in context: Context) -> Tensor {
    context.multiply(output, contribution)
  }

  func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    let product = context.multiply(projection.applied(in: context), columnsBy: row(in: context))
    guard let gate else { return product }
    return gating(product, by: gate(projection.input, in: context), in: context)
  }
}

/// Multiplies the columns of what the layer reads: `W (x ⊙ l) + b`, PEFT's (IA)³ of a feed-forward layer.
struct InputScaleUnit: LinearUnit {
  let canFollow = true
  private let factors: Parameter

  init(
    _ c: LoRAConfiguration, _ target: LoRAConfiguration.Target, _ widths: (input: Int, output: Int),
    from weights: ParameterSource
  ) throws {
    guard !c.isGated, target.scaling == 1 else {
      throw Failure(
        .invalidConfiguration, "a scaling of the input has neither a gate nor a factor",
        at: "targets.\(target.site.layer).\(target.site.place.rawValue)")
    }
    factors = try weights.parameter("lora_b", [widths.input, 1], initially: c.initialWeights.b)
  }

  var parameters: [Parameter] { [factors] }

  private func row(in context: Context) -> Tensor {
    context.reshaped(context.value(of: factors), rows: 1, columns: factors.count)
  }

  func folded(into linear: FoldedLinear, as form: FoldedForm, in context: Context) -> FoldedLinear? {
    FoldedLinear(weight: context.multiply(linear.weight, columnsBy: row(in: context)), bias: linear.bias)
  }

  /// The factors of each row; the layer runs when they join it.
  func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    let row = row(in: context)
    return h.map { context.multiply($0, columnsBy: row) }
      ?? context.rows(row, Array(repeating: 0, count: projection.input.rows))
  }

  func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in context: Context) -> Tensor {
    projection.linear(context.multiply(projection.input, contribution), in: context)
  }

  func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    projection.linear(context.multiply(projection.input, columnsBy: row(in: context)), in: context)
  }
}

/// `ΔW = B A`, with PEFT's option `x ↦ B A x + bias`.
struct LowRankUpdate: LinearUpdate {
  let a, b: Parameter
  let bias: Parameter?

  func callAsFunction(_ x: Tensor, scale: Float, plus residual: Tensor?, in context: Context) -> Tensor {
    context.linear(context.linear(x, a), b, bias: bias, scale: scale, plus: residual)
  }

  func matrix(in context: Context) -> Tensor? {
    bias == nil ? context.product(context.value(of: b), context.value(of: a)) : nil
  }

  var parameters: [Parameter] { [a, b] + (bias.map { [$0] } ?? []) }
}

/// `ΔW = (outer · B) · (inner · A)`, of which `A` and `B` belong to all layers.
struct VectorUpdate: LinearUpdate {
  let parameters, sources: [Parameter]
  /// The products in brackets: the outer factor is as large as the layer itself.
  private let up, down: DerivedParameter

  init(a: Parameter, b: Parameter, inner: Parameter, outer: Parameter) {
    parameters = [inner, outer]
    sources = [a, b, inner, outer]
    up = DerivedParameter(from: [outer, b]) { $0.product($0.value(of: outer), $0.value(of: b)) }
    down = DerivedParameter(from: [inner, a]) { $0.product($0.value(of: inner), $0.value(of: a)) }
  }

  func callAsFunction(_ x: Tensor, scale: Float, plus residual: Tensor?, in context: Context) -> Tensor {
    var result = context.linear(context.linear(x, down), up)
    if scale != 1 { result = context.scaled(result, by: scale) }
    return residual.map { context.add(result, $0) } ?? result
  }

  func matrix(in context: Context) -> Tensor? { context.product(up.value(in: context), down.value(in: context)) }
}

extension Context {
  /// `x` with each row multiplied by its factor: `[1, rows]`.
  func scalingRows(of x: Tensor, by factors: Tensor) -> Tensor {
    multiply(x, sequencesBy: factors, Sequences(lengths: Array(repeating: 1, count: x.rows)))
  }
}
