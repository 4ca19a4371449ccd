import HubWords
import HubTensor
import HubTransformer

/// An update that is written out, `ΔW = M`: what Kronecker products come to (LoKr, Yeh et al. 2024).
struct MatrixUpdate: LinearUpdate {
  let matrix: Parameter

  func callAsFunction(_ x: Tensor, scale: Float, plus residual: Tensor?, in context: Context) -> Tensor {
    context.linear(x, matrix, bias: nil, plus: residual)
  }

  func matrix(in context: Context) -> Tensor? { context.value(of: matrix) }
  var parameters: [Parameter] { [matrix] }
}

/// A matrix that what a layer reads goes through first, `s ⊙ W M x + b`: orthogonal fine-tuning (OFT, Qiu et al. 2023;
/// BOFT, Liu et al. 2024), whose rotations are written out.
struct RotationUnit: LinearUnit {
  let canFollow = false
  private let matrix: Parameter
  /// `s`, `[out, 1]`
  private let factors: Parameter?

  init(
    _ target: LoRAConfiguration.Target, _ widths: (input: Int, output: Int), from weights: ParameterSource
  ) throws {
    matrix = try weights.parameter("rotation", [widths.input, widths.input], initially: .diagonal(1))
    factors =
      target.form == .scaledRotation ? try weights.parameter("scale", [widths.output, 1], initially: .ones) : nil
  }

  var parameters: [Parameter] { [matrix] + (factors.map { [$0] } ?? []) }

  private func row(_ factors: Parameter, in context: Context) -> Tensor {
    context.reshaped(context.value(of: factors), rows: 1, columns: factors.count)
  }

  func folded(into linear: FoldedLinear, as form: FoldedForm, in context: Context) -> FoldedLinear? {
    let rotated = context.product(linear.weight, context.value(of: matrix))
    return FoldedLinear(
      weight: factors.map { context.scalingRows(of: rotated, by: row($0, in: context)) } ?? rotated, bias: linear.bias)
  }

  /// What the layer reads from now on.
  func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    context.linear(h ?? projection.input, matrix)
  }

  func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in context: Context) -> Tensor {
    let linear = projection.linear, result = linear(contribution, in: context)
    guard let factors else { return result }
    let row = row(factors, in: context)
    guard let bias = linear.bias else { return context.multiply(result, columnsBy: row) }
    // The bias is not scaled: s ⊙ (y − b) + b.
    let biases = context.rows(
      context.reshaped(context.value(of: bias), rows: 1, columns: bias.count), Array(repeating: 0, count: result.rows))
    return context.add(context.multiply(context.add(result, context.scaled(biases, by: -1)), columnsBy: row), biases)
  }

  func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    let rotated = contribution(nil, to: projection, gating, in: context)
    return joined(rotated, with: rotated, of: projection, in: context)
  }
}
