import CHubKernels

extension Context {
  /// `x − 2/‖v‖² · v (vᵀ x)`: the columns of `x` mirrored at the hyperplane that `v` is normal to (Householder 1958).
  ///
  /// - Parameters:
  ///   - x: `[n, columns]`
  ///   - v: `[1, n]`
  public func reflected(_ x: Tensor, at v: Tensor) -> Tensor {
    precondition(v.count == x.rows)
    let normal = v.values, square = normal.reduce(0) { $0 + $1 * $1 }
    let shares = weightedRows(x, normal)
    var result = reflected(x, normal, shares, square)
    if isRecorded(x, v) {
      record(&result) { [unowned self] gradient, gradients in
        let shared = weightedRows(gradient, normal)
        if gradients.wants(x) { gradients.add(reflected(gradient, normal, shared, square), to: x) }
        guard gradients.wants(v) else { return }
        let both = zip(shares, shared).reduce(0) { $0 + $1.0 * $1.1 }
        let back = (0..<x.rows).map { row in
          let g = gradient.row(row), own = x.row(row)
          let change = zip(g, shares).reduce(0) { $0 + $1.0 * $1.1 } + zip(own, shared).reduce(0) { $0 + $1.0 * $1.1 }
          return -2 / square * change + 4 / (square * square) * both * normal[row]
        }
        gradients.add(tensor(rows: 1, columns: x.rows, back), to: v)
      }
    }
    return result
  }

  /// `vᵀ x`
  private func weightedRows(_ x: Tensor, _ v: [Float]) -> [Float] {
    let sums = zeros(1, x.columns)
    for (row, weight) in v.enumerated() {
      kernels.add_scaled(sums.block.base, x.base + row * x.columns, weight, x.columns)
    }
    return sums.values
  }

  private func reflected(_ x: Tensor, _ v: [Float], _ shares: [Float], _ square: Float) -> Tensor {
    var result = x.unrecorded
    own(&result)
    let shares = tensor(rows: 1, columns: x.columns, shares)
    for (row, weight) in v.enumerated() {
      kernels.add_scaled(result.block.base + row * x.columns, shares.base, -2 / square * weight, x.columns)
    }
    return result
  }
}
