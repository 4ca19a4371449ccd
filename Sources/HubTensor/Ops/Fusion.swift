import CHubKernels

extension Context {
  /// The attention of AdapterFusion, token by token (Pfeiffer et al. 2021): with `p = softmax_j(q·x_j / temperature)`,
  /// `Σ p_j x_j + residual`.
  ///
  /// - Parameters:
  ///   - query, inputs, residual: `[rows, width]`; one input per fused adapter
  ///   - observe: is given `p`, `[rows, adapters]`
  public func fuse(
    _ query: Tensor, _ inputs: [Tensor], plus residual: Tensor?, temperature: Float = 1,
    observe: ((Tensor) -> Void)? = nil
  ) -> Tensor {
    precondition(!inputs.isEmpty)
    let kernels = kernels
    let rows = query.rows, width = query.columns, count = inputs.count
    var result = empty(rows, width)
    let weights = empty(rows, count)
    let bases = inputs.map { Optional($0.base) }
    forRows(rows, cost: width * count) { range in
      let first = range.lowerBound * width
      kernels.fuse(
        result.block.base + first, weights.block.base + range.lowerBound * count, query.base + first,
        bases.map { $0.map { $0 + first } },
        residual.map { $0.base + first }, count, range.count, width, temperature)
    }
    observe?(weights)
    if (inputs + [query]).contains(where: { isRecorded($0) }) || isRecorded(residual) {
      record(&result) { [unowned self] gradient, gradients in
        let dq = empty(rows, width), dInputs = inputs.map { _ in empty(rows, width) }
        kernels.fuse_backward(
          dq.block.base, dInputs.map { $0.block.base }, gradient.base, weights.base, query.base, inputs.map { $0.base },
          count, rows, width, temperature)
        gradients.add(dq, to: query)
        for (input, change) in zip(inputs, dInputs) { gradients.add(change, to: input) }
        if let residual { gradients.add(gradient, to: residual) }
      }
    }
    return result
  }
}
