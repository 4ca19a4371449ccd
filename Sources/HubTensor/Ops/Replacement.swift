import CHubKernels

extension Context {
  /// `x` with other values in some of its rows.
  ///
  /// - Parameters:
  ///   - indices: which rows; none twice
  ///   - values: `[indices, columns]`
  public func replacing(_ indices: [Int], of x: Tensor, with values: Tensor) -> Tensor {
    precondition(values.rows == indices.count && values.columns == x.columns)
    var result = x.unrecorded
    own(&result)
    for (row, index) in indices.enumerated() {
      precondition(index >= 0 && index < x.rows)
      (result.block.base + index * x.columns).update(from: values.base + row * x.columns, count: x.columns)
    }
    if isRecorded(x, values) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(values) { gradients.add(rows(gradient, indices), to: values) }
        guard gradients.wants(x) else { return }
        gradients.add(replacing(indices, of: gradient, with: zeros(indices.count, x.columns)), to: x)
      }
    }
    return result
  }
}
