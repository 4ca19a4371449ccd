import CHubKernels

extension Context {
  /// The attention of AdapterFusion, token by token (Pfeiffer et al. 2021): with `p = softmax_j(q·k_j / temperature)`,
  /// `Σ p_j v_j + residual`.
  ///
  /// - Parameters:
  ///   - query, keys, values, residual: `[rows, width]`; one key and one value per fused adapter
  ///   - observe: is given `p`, `[rows, adapters]`
  public func fuse(
    _ query: Tensor, keys: [Tensor], values: [Tensor], plus residual: Tensor?, temperature: Float = 1, observe: ((Tensor) -> Void)? = nil
  ) -> Tensor {
    precondition(!keys.isEmpty && keys.count == values.count)
    let kernels = kernels
    let rows = query.rows, width = query.columns, count = keys.count
    var result = empty(rows, width)
    let weights = empty(rows, count)
    let keyBases = keys.map { Optional($0.base) }, valueBases = values.map { Optional($0.base) }
    forRows(rows, cost: width * count) { range in
      let first = range.lowerBound * width
      kernels.fuse(
        result.block.base + first, weights.block.base + range.lowerBound * count, query.base + first,
        keyBases.map { $0.map { $0 + first } }, valueBases.map { $0.map { $0 + first } },
        residual.map { $0.base + first }, count, range.count, width, temperature)
    }
    observe?(weights)
    let inputs = keys + values + [query] + (residual.map { [$0] } ?? [])
    if inputs.contains(where: { isRecorded($0) }) {
      record(&result) { [unowned self] gradient, gradients in
        let dq = empty(rows, width)
        let dKeys = keys.map { _ in empty(rows, width) }, dValues = values.map { _ in empty(rows, width) }
        kernels.fuse_backward(
          dq.block.base, dKeys.map { $0.block.base }, dValues.map { $0.block.base }, gradient.base, weights.base, query.base,
          keys.map { $0.base }, values.map { $0.base }, count, rows, width, temperature)
        gradients.add(dq, to: query)
        for index in 0..<count {
          gradients.add(dKeys[index], to: keys[index])
          gradients.add(dValues[index], to: values[index])
        }
        if let residual { gradients.add(gradient, to: residual) }
      }
    }
    return result
  }
}
