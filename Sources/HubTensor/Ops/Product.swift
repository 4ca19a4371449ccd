import CHubKernels

extension Context {
  /// A parameter's values as a tensor that gradients flow through, for what is computed from weights rather than rows.
  public func value(of parameter: Parameter) -> Tensor {
    var result = parameter.value
    if isRecorded(parameters: parameter) {
      record(&result) { gradient, gradients in gradients.add(gradient, to: parameter) }
    }
    return result
  }

  /// `a · b + bias`, or `a · bᵀ + bias`.
  ///
  /// - Parameters:
  ///   - a: `[m, k]`
  ///   - b: `[k, n]`, or `[n, k]` if `transposing`
  ///   - bias: `[1, n]`
  public func product(_ a: Tensor, _ b: Tensor, transposing: Bool = false, bias: Parameter? = nil) -> Tensor {
    let n = transposing ? b.rows : b.columns, k = a.columns
    precondition(
      k == (transposing ? b.columns : b.rows), "cannot multiply [\(a.rows), \(k)] and [\(b.rows), \(b.columns)]")
    let packedB = packed(b, n: n, k: k, strideN: transposing ? k : 1, strideK: transposing ? 1 : n)
    let biasValue = bias?.value
    var epilogue = hub_epilogue.plain
    epilogue.bias = biasValue?.base
    var result = withExtendedLifetime(biasValue) {
      multiply(a, strideM: k, strideK: 1, m: a.rows, by: packedB, n: n, k: k, epilogue)
    }
    if isRecorded(a, b, parameters: bias) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(a) { gradients.add(product(gradient, b.unrecorded, transposing: !transposing), to: a) }
        if let bias, gradients.wants(bias) { gradients.add(columnSums(gradient), to: bias) }
        guard gradients.wants(b) else { return }
        gradients.add(transposing ? sumOfProducts(gradient, a) : sumOfProducts(a, gradient), to: b)
      }
    }
    return result
  }

  /// `aᵀ · b`: the sum over rows of the outer products.
  func sumOfProducts(_ a: Tensor, _ b: Tensor) -> Tensor {
    let packedB = packed(b, n: b.columns, k: b.rows, strideN: 1, strideK: b.columns)
    return multiply(a, strideM: 1, strideK: a.columns, m: a.columns, by: packedB, n: b.columns, k: b.rows)
  }

  /// `x` with its columns multiplied by `factors [1, columns]`.
  public func multiply(_ x: Tensor, columnsBy factors: Tensor) -> Tensor {
    precondition(factors.count == x.columns)
    var result = empty(x.rows, x.columns)
    kernels.scale_columns(result.block.base, x.base, factors.base, x.rows, x.columns)
    if isRecorded(x, factors) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(x) {
          let back = empty(x.rows, x.columns)
          kernels.scale_columns(back.block.base, gradient.base, factors.base, x.rows, x.columns)
          gradients.add(back, to: x)
        }
        if gradients.wants(factors) {
          let sums = columnSums(gradient, times: x)
          gradients.add(Tensor(rows: factors.rows, columns: factors.columns, block: sums.block), to: factors)
        }
      }
    }
    return result
  }

  /// The element-by-element product of two tensors of one shape.
  public func multiply(_ x: Tensor, _ y: Tensor) -> Tensor {
    precondition(x.rows == y.rows && x.columns == y.columns)
    var result = empty(x.rows, x.columns)
    let kernels = kernels
    forRows(x.rows, cost: x.columns) { rows in
      let first = rows.lowerBound * x.columns
      kernels.multiply(result.block.base + first, x.base + first, y.base + first, rows.count * x.columns)
    }
    if isRecorded(x, y) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(x) { gradients.add(multiply(gradient, y.unrecorded), to: x) }
        if gradients.wants(y) { gradients.add(multiply(gradient, x.unrecorded), to: y) }
      }
    }
    return result
  }
}

extension Tensor {
  /// The same values, of which no gradient is wanted.
  public var unrecorded: Tensor {
    var copy = self
    copy.node = nil
    return copy
  }
}
