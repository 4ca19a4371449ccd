import CHubKernels

extension Context {
  /// `activation(x)`, element by element.
  public func activate(_ x: Tensor, _ activation: Activation) -> Tensor {
    var result = empty(x.rows, x.columns)
    kernels.activate(result.block.base, x.base, x.count, activation.kernel)
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        gradients.add(activationGradient(gradient, of: x, activation), to: x)
      }
    }
    return result
  }

  func activationGradient(_ gradient: Tensor, of x: Tensor, _ activation: Activation) -> Tensor {
    let result = empty(x.rows, x.columns)
    kernels.activate_backward(result.block.base, gradient.base, x.base, x.count, activation.kernel)
    return result
  }

  /// `x + y`.
  public func add(_ x: Tensor, _ y: Tensor) -> Tensor {
    precondition(
      x.rows == y.rows && x.columns == y.columns, "cannot add [\(x.rows), \(x.columns)] and [\(y.rows), \(y.columns)]")
    var result = x
    result.node = nil
    accumulate(y, into: &result)
    if isRecorded(x, y) {
      record(&result) { gradient, gradients in
        gradients.add(gradient, to: x)
        gradients.add(gradient, to: y)
      }
    }
    return result
  }

  /// `x · factor`, the factor being a learned scalar `[1, 1]` or one value per column `[1, columns]`.
  public func multiply(_ x: Tensor, by factor: Parameter) -> Tensor {
    precondition(factor.count == 1 || factor.count == x.columns)
    let row =
      factor.count == 1
      ? tensor(rows: 1, columns: x.columns, repeatElement(factor.value.base[0], count: x.columns)) : factor.value
    var result = scaledColumns(x, by: row)
    if isRecorded(x, parameters: factor) {
      record(&result) { [unowned self] gradient, gradients in
        gradients.add(scaledColumns(gradient, by: row), to: x)
        guard gradients.wants(factor) else { return }
        let sums = columnSums(gradient, times: x)
        gradients.add(factor.count == 1 ? tensor(rows: 1, columns: 1, [sums.values.reduce(0, +)]) : sums, to: factor)
      }
    }
    return result
  }

  private func scaledColumns(_ x: Tensor, by row: Tensor) -> Tensor {
    let result = empty(x.rows, x.columns)
    kernels.scale_columns(result.block.base, x.base, row.base, x.rows, x.columns)
    return result
  }
}
