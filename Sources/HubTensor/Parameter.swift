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
    var precision = Precision.float32
    var packed: Packed?
    var transposed: Packed?
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

  /// Changes the values in place, as an optimiser does; packed forms are made anew when they are next
  /// needed, and in float32: what is trained is not rounded.
  public func update(in context: Context, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    state.withLock { state in
      state.precision = .float32
      state.packed = nil
      state.transposed = nil
      context.own(&state.value)
      body(UnsafeMutableBufferPointer(start: state.value.block.base, count: state.value.count))
    }
  }

  /// Makes the packed form now rather than at the first use, and decides in which precision products with it are
  /// taken from now on: the context's, if none is given. For weights that stay as they are.
  public func prepare(in context: Context, precision: Precision? = nil) {
    state.withLock { state in
      let precision = precision ?? context.precision
      if precision != state.precision { state.packed = nil }
      state.precision = precision
    }
    _ = packed(in: context)
  }

  /// For `x · Wᵀ`, `W` being `[out, in]`.
  func packed(in context: Context) -> Packed {
    state.withLock { state in
      if let packed = state.packed { return packed }
      let packed = context.packed(state.value, n: rows, k: columns, strideN: columns, strideK: 1, precision: state.precision)
      state.packed = packed
      return packed
    }
  }

  /// For `y · W`, the way back through the same layer; always in float32.
  func packedTransposed(in context: Context) -> Packed {
    state.withLock { state in
      if let transposed = state.transposed { return transposed }
      let transposed = context.packed(state.value, n: columns, k: rows, strideN: 1, strideK: columns)
      state.transposed = transposed
      return transposed
    }
  }
}
