import CHubKernels

extension Context {
  /// `magnitudeᵢ / ‖wᵢ‖` for each row `wᵢ` of `w [out, in]` (Liu et al. 2024): `[1, out]`. The norm is differentiated
  /// through.
  ///
  /// - Parameter magnitude: `[out, 1]`
  public func magnitudeRatios(_ magnitude: Parameter, rowsOf w: Tensor) -> Tensor {
    precondition(magnitude.count == w.rows)
    let m = magnitude.value.values
    let norms = (0..<w.rows).map { row in w.row(row).reduce(0) { $0 + $1 * $1 }.squareRoot() }
    var result = tensor(rows: 1, columns: w.rows, zip(m, norms).map { $0 / $1 })
    if isRecorded(w, parameters: magnitude) {
      record(&result) { [unowned self] gradient, gradients in
        let slopes = gradient.values
        if gradients.wants(magnitude) {
          gradients.add(tensor(rows: w.rows, columns: 1, zip(slopes, norms).map { $0 / $1 }), to: magnitude)
        }
        guard gradients.wants(w) else { return }
        let back = zeros(w.rows, w.columns)
        for row in 0..<w.rows {
          let factor = -slopes[row] * m[row] / (norms[row] * norms[row] * norms[row]), first = row * w.columns
          kernels.add_scaled(back.block.base + first, w.base + first, factor, w.columns)
        }
        gradients.add(back, to: w)
      }
    }
    return result
  }
}
