import CHubKernels
import Synchronization

/// A weight `[rows, columns]` of a model, an adapter or a head; a vector has one row.
///
/// The layout that the matrix kernels want is made at the first use and kept.
public final class Parameter: Sendable {
  /// Its full name, for messages and for training.
  public let name: String
  /// The first dimension; 1 for a vector.
  public let rows: Int
  /// The last dimension.
  public let columns: Int
  /// The shape in which files keep it, such as `[count]` or `[out, in]`.
  public let shape: [Int]

  private struct State {
    var value: Tensor
    var version = 0
    var precision = Precision.float32
    var packed: Packed?
    var transposed: Packed?
  }

  private let state: Mutex<State>

  /// - Parameter shape: in which files keep it; `[columns]` of one row, or `[rows, columns]`, if `nil`
  public init(_ name: String, _ value: Tensor, shape: [Int]? = nil) {
    self.name = name
    self.shape = shape ?? (value.rows == 1 ? [value.columns] : [value.rows, value.columns])
    rows = value.rows
    columns = value.columns
    state = Mutex(State(value: value))
  }

  /// Some of the columns as a parameter of its own, transposed: `[columns, rows]`. Models that store `[in, out]` are
  /// read so.
  ///
  /// - Parameter part: what follows the name
  public func transposed(columns range: Range<Int>, name part: String? = nil) -> Parameter {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns)
    return Parameter(named(part), value.transposed(columns: range), shape: [range.count, rows])
  }

  /// Some of the columns as a parameter of its own.
  ///
  /// - Parameter part: what follows the name
  public func columns(_ range: Range<Int>, name part: String? = nil) -> Parameter {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns)
    return Parameter(named(part), value.columns(range), shape: rows == 1 ? [range.count] : nil)
  }

  private func named(_ part: String?) -> String { part.map { "\(name).\($0)" } ?? name }

  /// The number of values.
  public var count: Int { rows * columns }

  /// The values as they are now, `[rows, columns]`.
  public var value: Tensor { state.withLock { $0.value } }

  /// How often the values were changed.
  var version: Int { state.withLock { $0.version } }

  /// Changes the values in place, as an optimiser does; packed forms are made again when they are next
  /// needed, and in float32: what is trained is not rounded.
  public func update(in context: Context, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    state.withLock { state in
      state.version += 1
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

  /// The packed form, for keeping it in a file, and what keeps its memory alive.
  public func withPackedUnits<Result>(
    in context: Context, _ body: (UnsafeRawBufferPointer, _ owner: any AnyObject & Sendable) throws -> Result
  ) rethrows -> Result {
    let packed = packed(in: context)
    let count = packed.precision.gemm(of: context.kernels).packed_size(rows, columns)
    return try body(
      UnsafeRawBufferPointer(start: packed.block.base, count: count * MemoryLayout<Float>.size), packed.block)
  }

  /// Takes a packed form that was made before in the context's precision, by kernels of the same name.
  ///
  /// - Returns: false if it is not as large as these kernels make it; then nothing is changed.
  public func adopt(
    packed units: UnsafeBufferPointer<Float>, owner: any AnyObject & Sendable, in context: Context
  ) -> Bool {
    guard let base = units.baseAddress,
      units.count == context.precision.gemm(of: context.kernels).packed_size(rows, columns)
    else { return false }
    let block = Block(base: UnsafeMutablePointer(mutating: base), capacity: units.count, owner: .borrowed(owner))
    state.withLock { state in
      state.precision = context.precision
      state.packed = Packed(precision: context.precision, block: block)
    }
    return true
  }

  /// For `x · Wᵀ`, `W` being `[out, in]`.
  func packed(in context: Context) -> Packed {
    state.withLock { state in
      if let packed = state.packed { return packed }
      let packed = context.packed(
        state.value, n: rows, k: columns, strideN: columns, strideK: 1, precision: state.precision)
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
