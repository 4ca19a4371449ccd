import CHubKernels

extension Context {
  /// The weights of a linear layer: `[out, in]`, `[1, out]`.
  public typealias LinearWeights = (weight: Parameter, bias: Parameter?)

  /// A bottleneck adapter: `up(activation(down(x))) · scale + residual`.
  ///
  /// One block of rows after the other goes through both projections, so that what is between them stays near the
  /// processor. A recorded pass takes the steps one by one, and so does one of few rows, whose projections are shared
  /// out by columns. The results are the same.
  ///
  /// - Parameters:
  ///   - x: `[rows, hidden]`
  ///   - residual: `[rows, hidden]`
  public func bottleneck(
    _ x: Tensor, down: LinearWeights, up: LinearWeights, then activation: Activation, scale: Float,
    plus residual: Tensor?
  ) -> Tensor {
    let parts = max(engine.workers.count, x.rows / 256)
    let isRecorded = isRecorded(x, residual, parameters: down.weight, down.bias, up.weight, up.bias)
    guard !isRecorded, x.rows >= 2 * kernels.row_block * parts else {
      let inner = linear(x, down.weight, bias: down.bias, then: activation)
      return linear(inner, up.weight, bias: up.bias, scale: scale, plus: residual)
    }
    let result = empty(x.rows, up.weight.rows)
    let first = Step(down, then: activation, scale: 1, in: self),
      second = Step(up, then: .identity, scale: scale, in: self)
    let largest = (x.rows + parts - 1) / parts
    let own = max(first.gemm.scratch(engine.blocks), second.gemm.scratch(engine.blocks))
    engine.workers.run(parts, scratch: largest * first.outputs + own) { index, scratch in
      let rows = x.rows * index / parts..<x.rows * (index + 1) / parts
      let inner = scratch + own
      first(inner, x.base + rows.lowerBound * x.columns, rows: rows.count, plus: nil, scratch: scratch)
      let start = rows.lowerBound * second.outputs
      second(
        result.block.base + start, inner, rows: rows.count, plus: residual.map { $0.base + start }, scratch: scratch)
    }
    return result
  }
}

/// One projection of some rows.
private struct Step {
  let gemm: hub_gemm
  private let blocks: hub_blocks
  let outputs: Int
  private let inputs: Int
  private let packed: Packed
  private let bias: Tensor?
  private let activation: Activation
  private let scale: Float

  init(_ projection: Context.LinearWeights, then activation: Activation, scale: Float, in context: Context) {
    packed = projection.weight.packed(in: context)
    gemm = packed.precision.gemm(of: context.kernels)
    blocks = context.engine.blocks
    (outputs, inputs) = (projection.weight.rows, projection.weight.columns)
    bias = projection.bias?.value
    self.activation = activation
    self.scale = scale
  }

  func callAsFunction(
    _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, plus residual: UnsafePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
  ) {
    var epilogue = hub_epilogue(
      bias: bias?.base, residual: residual, residual_stride: outputs, scale: scale, activation: activation.kernel)
    gemm.multiply(y, outputs, x, inputs, 1, packed.block.base, rows, outputs, inputs, &epilogue, blocks, scratch)
  }
}
