import CHubKernels
import Synchronization

/// A weight `[rows, columns]` of a model, an adapter or a head; a vector has one row.
///
/// The layout that the matrix kernels want is made at the first use and kept.
public final class Parameter: Sendable {
  /// Its full name, for messages and for training.
  public let name: String
  public let rows: Int
  public let columns: Int

  private struct State {
    var value: Tensor
    var packed: Tensor?
    var transposed: Tensor?
  }

  private let state: Mutex<State>

  public init(_ name: String, _ value: Tensor) {
    self.name = name
    rows = value.rows
    columns = value.columns
    state = Mutex(State(value: value))
  }

  public var count: Int { rows * columns }

  public var value: Tensor { state.withLock { $0.value } }

  /// Changes the values in place, as an optimiser does; packed forms are made anew when they are next needed.
  public func update(in context: Context, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    state.withLock { state in
      state.packed = nil
      state.transposed = nil
      context.own(&state.value)
      body(UnsafeMutableBufferPointer(start: state.value.block.base, count: state.value.count))
    }
  }

  /// Makes the packed form now rather than at the first use.
  public func prepare(in context: Context) { _ = packed(in: context) }

  /// For `x · Wᵀ`, `W` being `[out, in]`.
  func packed(in context: Context) -> Tensor {
    state.withLock { state in
      if let packed = state.packed { return packed }
      let packed = context.packed(state.value, n: rows, k: columns, strideN: columns, strideK: 1)
      state.packed = packed
      return packed
    }
  }

  /// For `y · W`, the way back through the same layer.
  func packedTransposed(in context: Context) -> Tensor {
    state.withLock { state in
      if let transposed = state.transposed { return transposed }
      let transposed = context.packed(state.value, n: columns, k: rows, strideN: 1, strideK: columns)
      state.transposed = transposed
      return transposed
    }
  }
}

extension Context {
  /// Packs `b [n, k]`, given by its strides, for ``multiply(_:strideM:strideK:m:by:n:k:epilogue:)``.
  func packed(_ b: Tensor, n: Int, k: Int, strideN: Int, strideK: Int) -> Tensor {
    let kernels = kernels
    let packed = empty(1, kernels.packed_size(n, k))
    let panels = (n + kernels.panel - 1) / kernels.panel
    engine.workers.run(panels) { panel, _ in
      let first = panel * kernels.panel
      kernels.pack(packed.block.base + first * k, b.base + first * strideN, min(kernels.panel, n - first), k, strideN, strideK)
    }
    return packed
  }

  /// `a · bᵀ` for `a [m, k]` given by its strides and a packed `b [n, k]`; rows, or panels of few rows, are shared out.
  func multiply(_ a: Tensor, strideM: Int, strideK: Int, m: Int, by packed: Tensor, n: Int, k: Int, _ epilogue: hub_epilogue = .plain) -> Tensor {
    let kernels = kernels
    let result = empty(m, n)
    let threads = m * n * k < 1 << 18 ? 1 : engine.workers.count
    let splitsRows = m >= 2 * kernels.row_block * threads
    let units = splitsRows ? (m + kernels.row_block - 1) / kernels.row_block : (n + kernels.panel - 1) / kernels.panel
    let pieces = min(threads, units)
    engine.workers.run(pieces, scratch: kernels.gemm_scratch) { index, scratch in
      let first = units * index / pieces, end = units * (index + 1) / pieces
      let rows = splitsRows ? first * kernels.row_block..<min(m, end * kernels.row_block) : 0..<m
      let columns = splitsRows ? 0..<n : first * kernels.panel..<min(n, end * kernels.panel)
      var part = epilogue
      part.bias = epilogue.bias.map { $0 + columns.lowerBound }
      part.residual = epilogue.residual.map { $0 + rows.lowerBound * n + columns.lowerBound }
      part.residual_stride = n
      kernels.gemm(
        result.block.base + rows.lowerBound * n + columns.lowerBound, n, a.base + rows.lowerBound * strideM, strideM, strideK,
        packed.base + columns.lowerBound * k, rows.count, columns.count, k, &part, scratch)
    }
    return result
  }
}

extension hub_epilogue {
  static var plain: hub_epilogue {
    hub_epilogue(bias: nil, residual: nil, residual_stride: 0, scale: 1, activation: HUB_IDENTITY, accumulate: 0)
  }
}
