import CHubKernels

/// A matrix in the layout that the matrix kernels want, in one precision.
struct Packed: Sendable {
  let precision: Precision
  /// Units of four bytes, of which only the kernels know what they hold.
  let block: Block
}

extension Context {
  /// Packs `b [n, k]`, given by its strides, for ``multiply(_:strideM:strideK:m:by:n:k:_:)``.
  func packed(_ b: Tensor, n: Int, k: Int, strideN: Int, strideK: Int, precision: Precision = .float32) -> Packed {
    let panel = kernels.panel, gemm = precision.gemm(of: kernels)
    let packed = Packed(precision: precision, block: engine.pool.take(gemm.packed_size(n, k)))
    engine.workers.run((n + panel - 1) / panel) { index, _ in
      let first = panel * index
      gemm.pack(
        packed.block.base + gemm.packed_size(first, k), b.base + first * strideN, min(panel, n - first), k, strideN,
        strideK)
    }
    return packed
  }

  /// `a · bᵀ` for `a [m, k]` given by its strides and a packed `b [n, k]`; rows, or panels of few rows, are shared out.
  func multiply(
    _ a: Tensor, strideM: Int, strideK: Int, m: Int, by packed: Packed, n: Int, k: Int,
    _ epilogue: hub_epilogue = .plain
  ) -> Tensor {
    let panel = kernels.panel, block = kernels.row_block, blocks = engine.blocks,
      gemm = packed.precision.gemm(of: kernels)
    let result = empty(m, n)
    let threads = m * n * k < 1 << 18 ? 1 : engine.workers.count
    let splitsRows = m >= 2 * block * threads
    let units = splitsRows ? (m + block - 1) / block : (n + panel - 1) / panel
    let pieces = min(threads, units)
    engine.workers.run(pieces, scratch: gemm.scratch(blocks)) { index, scratch in
      let first = units * index / pieces, end = units * (index + 1) / pieces
      let rows = splitsRows ? first * block..<min(m, end * block) : 0..<m
      let columns = splitsRows ? 0..<n : first * panel..<min(n, end * panel)
      var part = epilogue
      part.bias = epilogue.bias.map { $0 + columns.lowerBound }
      part.residual = epilogue.residual.map { $0 + rows.lowerBound * n + columns.lowerBound }
      part.residual_stride = n
      gemm.multiply(
        result.block.base + rows.lowerBound * n + columns.lowerBound, n, a.base + rows.lowerBound * strideM, strideM,
        strideK,
        packed.block.base + gemm.packed_size(columns.lowerBound, k), rows.count, columns.count, k, &part, blocks,
        scratch)
    }
    return result
  }
}

extension hub_epilogue {
  static var plain: hub_epilogue {
    hub_epilogue(bias: nil, residual: nil, residual_stride: 0, scale: 1, activation: HUB_IDENTITY)
  }
}
