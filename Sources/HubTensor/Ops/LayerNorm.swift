import CHubKernels

extension Context {
  /// `(z − mean)/√(variance + epsilon) · gain + bias` over each row of `z = x + residual` (Ba et al. 2016).
  ///
  /// - Parameters:
  ///   - gain: `[1, columns]`
  ///   - bias: `[1, columns]`
  public func layerNorm(
    _ x: Tensor, plus residual: Tensor? = nil, gain: Parameter, bias: Parameter, epsilon: Float
  ) -> Tensor {
    precondition(
      gain.count == x.columns && bias.count == x.columns, "\(gain.name) is for \(gain.count) columns, not \(x.columns)")
    let kernels = kernels
    var result = empty(x.rows, x.columns)
    let gains = gain.value, biases = bias.value, width = x.columns
    forRows(x.rows, cost: width) { rows in
      let first = rows.lowerBound * width
      kernels.layer_norm(
        result.block.base + first, x.base + first, residual.map { $0.base + first }, gains.base, biases.base,
        rows.count, width, epsilon)
    }
    if isRecorded(x, residual, parameters: gain, bias) {
      record(&result) { [unowned self] gradient, gradients in
        let back = empty(x.rows, width)
        let gainSums = gradients.wants(gain) ? zeros(1, width) : nil
        let biasSums = gradients.wants(bias) ? zeros(1, width) : nil
        kernels.layer_norm_backward(
          back.block.base, gainSums?.block.base, biasSums?.block.base, gradient.base, x.base, residual?.base,
          gains.base, x.rows, width, epsilon)
        gradients.add(back, to: x)
        if let residual { gradients.add(back, to: residual) }
        if let gainSums { gradients.add(gainSums, to: gain) }
        if let biasSums { gradients.add(biasSums, to: bias) }
      }
    }
    return result
  }
}
