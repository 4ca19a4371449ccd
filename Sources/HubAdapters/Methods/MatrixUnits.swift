import HubWords
import HubTensor
import HubTransformer

/// An update that is written out, `ΔW = M`: what Kronecker products come to (LoKr, Yeh et al. 2024).
struct MatrixUpdate: LinearUpdate {
  let matrix: Parameter

  func callAsFunction(_ x: Tensor, scale: Float, plus residual: Tensor?, in cx: Context) -> Tensor {
    cx.linear(x, matrix, bias: nil, plus: residual)
  }

  func matrix(in cx: Context) -> Tensor? { cx.value(of: matrix) }
  var parameters: [Parameter] { [matrix] }
}

/// A matrix that what a layer reads goes through first, `s ⊙ W M x + b`: orthogonal fine-tuning (OFT, Qiu et al. 2023; BOFT,
/// Liu et al. 2024), whose rotations are written out.
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

  private func row(_ factors: Parameter, in cx: Context) -> Tensor {
    cx.reshaped(cx.value(of: factors), rows: 1, columns: factors.count)
  }

  func folded(into linear: FoldedLinear, as form: LoRA.FoldedForm, in cx: Context) -> FoldedLinear? {
    let rotated = cx.product(linear.weight, cx.value(of: matrix))
    return FoldedLinear(
      weight: factors.map { cx.scalingRows(of: rotated, by: row($0, in: cx)) } ?? rotated, bias: linear.bias)
  }

  /// What the layer reads from now on.
  func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in cx: Context) -> Tensor {
    cx.linear(h ?? projection.input, matrix)
  }

  func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in cx: Context) -> Tensor {
    let linear = projection.linear, result = linear(contribution, in: cx)
    guard let factors else { return result }
    let row = row(factors, in: cx)
    guard let bias = linear.bias else { return cx.multiply(result, columnsBy: row) }
    // The bias is not scaled: s ⊙ (y − b) + b.
    let biases = cx.rows(
      cx.reshaped(cx.value(of: bias), rows: 1, columns: bias.count), Array(repeating: 0, count: result.rows))
    return cx.add(cx.multiply(cx.add(result, cx.scaled(biases, by: -1)), columnsBy: row), biases)
  }

  func applied(to projection: Projection, _ gating: Gating, in cx: Context) -> Tensor {
    let rotated = contribution(nil, to: projection, gating, in: cx)
    return joined(rotated, with: rotated, of: projection, in: cx)
  }
}
