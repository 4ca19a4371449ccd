import CHubKernels

extension Context {
  /// `z/√(mean z² + epsilon) · gain` over each row of `z = x + residual` (Zhang and Sennrich 2019).
  ///
  /// - Parameter gain: `[1, columns]`
  public func rmsNorm(_ x: Tensor, plus residual: Tensor? = nil, gain: Parameter, epsilon: Float) -> Tensor {
    precondition(gain.count == x.columns, "\(gain.name) is for \(gain.count) columns, not \(x.columns)")
    precondition(residual.map { $0.rows == x.rows && $0.columns == x.columns } ?? true)
    let kernels = kernels
    var result = empty(x.rows, x.columns)
    let gains = gain.value, width = x.columns
    forRows(x.rows, cost: width) { rows in
      let first = rows.lowerBound * width
      kernels.rms_norm(
        result.block.base + first, x.base + first, residual.map { $0.base + first }, gains.base, rows.count, width,
        epsilon)
    }
    if isRecorded(x, residual, parameters: gain) {
      record(&result) { [unowned self] gradient, gradients in
        let back = empty(x.rows, width)
        let gainSums = gradients.wants(gain) ? zeros(1, width) : nil
        kernels.rms_norm_backward(
          back.block.base, gainSums?.block.base, gradient.base, x.base, residual?.base, gains.base, x.rows, width,
          epsilon)
        gradients.add(back, to: x)
        if let residual { gradients.add(back, to: residual) }
        if let gainSums { gradients.add(gainSums, to: gain) }
      }
    }
    return result
  }
}
