import CHubKernels

extension Context {
  /// `activation(x · Wᵀ + bias) · scale + residual`, in one pass over the result.
  ///
  /// - Parameters:
  ///   - x: `[rows, in]`
  ///   - weight: `[out, in]`
  ///   - bias: `[1, out]`
  ///   - residual: `[rows, out]`
  public func linear(
    _ x: Tensor, _ weight: Parameter, bias: Parameter? = nil, then activation: Activation = .identity, scale: Float = 1,
    plus residual: Tensor? = nil
  ) -> Tensor {
    precondition(x.columns == weight.columns, "\(weight.name) takes \(weight.columns) columns, not \(x.columns)")
    let biasValue = bias?.value
    var epilogue = hub_epilogue.plain
    epilogue.bias = biasValue?.base
    let isRecorded = isRecorded(x, residual, parameters: weight, bias)
    // The derivative needs what went into the activation, so a recorded pass takes the steps one by one.
    let isFused = !isRecorded || activation == .identity
    if isFused {
      epilogue.activation = activation.kernel
      epilogue.scale = scale
      epilogue.residual = residual?.base
    }
    let product = withExtendedLifetime((biasValue, residual)) {
      multiply(
        x, strideM: x.columns, strideK: 1, m: x.rows, by: weight.packed(in: self), n: weight.rows, k: weight.columns,
        epilogue)
    }
    guard isRecorded else { return product }
    var result = isFused ? product : finished(product, activation, scale: scale, plus: residual)
    record(&result) { [unowned self] gradient, gradients in
      if let residual { gradients.add(gradient, to: residual) }
      var inner = gradient
      if scale != 1 { inner = scaled(inner, by: scale) }
      if activation != .identity { inner = activationGradient(inner, of: product, activation) }
      linearGradients(inner, x, weight, bias, gradients)
    }
    return result
  }

  private func finished(_ x: Tensor, _ activation: Activation, scale: Float, plus residual: Tensor?) -> Tensor {
    var result = empty(x.rows, x.columns)
    kernels.activate(result.block.base, x.base, x.count, activation.kernel)
    if scale != 1 { result = scaled(result, by: scale) }
    if let residual { accumulate(residual, into: &result) }
    return result
  }

  /// `x · W`, the way back through a linear layer.
  ///
  /// - Parameters:
  ///   - x: `[rows, out]`
  ///   - weight: `[out, in]`
  public func linear(_ x: Tensor, transposing weight: Parameter) -> Tensor {
    precondition(x.columns == weight.rows, "\(weight.name) gives \(weight.rows) columns, not \(x.columns)")
    var result = back(x, through: weight)
    if isRecorded(x, parameters: weight) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(x) {
          let forth = multiply(
            gradient, strideM: gradient.columns, strideK: 1, m: gradient.rows, by: weight.packed(in: self),
            n: weight.rows, k: weight.columns)
          gradients.add(forth, to: x)
        }
        if gradients.wants(weight) { gradients.add(sumOfProducts(x, gradient), to: weight) }
      }
    }
    return result
  }

  private func back(_ x: Tensor, through weight: Parameter) -> Tensor {
    multiply(
      x, strideM: x.columns, strideK: 1, m: x.rows, by: weight.packedTransposed(in: self), n: weight.columns,
      k: weight.rows)
  }

  /// `dx = dy · W`, `dW = dyᵀ · x`, `db = Σ dy`.
  private func linearGradients(
    _ gradient: Tensor, _ x: Tensor, _ weight: Parameter, _ bias: Parameter?, _ gradients: Gradients
  ) {
    if gradients.wants(x) { gradients.add(back(gradient, through: weight), to: x) }
    if gradients.wants(weight) { gradients.add(sumOfProducts(gradient, x), to: weight) }
    if let bias, gradients.wants(bias) { gradients.add(columnSums(gradient), to: bias) }
  }

  /// The sum of all rows, `[1, columns]`; of the elementwise product where `factor` is given.
  func columnSums(_ x: Tensor, times factor: Tensor? = nil) -> Tensor {
    let sums = zeros(1, x.columns)
    kernels.sum_rows(sums.block.base, x.base, factor?.base, x.rows, x.columns)
    return sums
  }

  /// `x · factor`.
  public func scaled(_ x: Tensor, by factor: Float) -> Tensor {
    var result = zeros(x.rows, x.columns)
    kernels.add_scaled(result.block.base, x.base, factor, x.count)
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in gradients.add(scaled(gradient, by: factor), to: x) }
    }
    return result
  }
}
