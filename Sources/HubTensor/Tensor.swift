/// A matrix `[rows, columns]` of float32, row-major, with value semantics: copies share memory until one is written.
public struct Tensor: Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of values in a row.
  public let columns: Int
  var block: Block
  /// The entry of the tape that made it, if a gradient flows here.
  var node: Int?

  init(rows: Int, columns: Int, block: Block) {
    self.rows = rows
    self.columns = columns
    self.block = block
  }

  /// A view of memory that `owner` keeps alive and nobody changes, such as a tensor in a mapped file.
  public init(rows: Int, columns: Int, borrowing memory: UnsafeBufferPointer<Float>, owner: any AnyObject & Sendable) {
    precondition(memory.count == rows * columns, "\(memory.count) floats are not \(rows) x \(columns)")
    let base = memory.baseAddress.map(UnsafeMutablePointer.init(mutating:)) ?? Self.nothing
    self.init(rows: rows, columns: columns, block: Block(base: base, capacity: memory.count, owner: .borrowed(owner)))
  }

  nonisolated(unsafe) private static let nothing = UnsafeMutablePointer<Float>.allocate(capacity: 1)

  /// The number of values.
  public var count: Int { rows * columns }

  /// The values, row by row.
  public var values: [Float] { Array(UnsafeBufferPointer(start: block.base, count: count)) }

  /// Whether all values are numbers, and finite.
  public var isFinite: Bool {
    // x − x is 0 for what is finite, and not a number for all else.
    UnsafeBufferPointer(start: block.base, count: count).reduce(Float(0)) { $0 + ($1 - $1) } == 0
  }

  /// One row, copied.
  public func row(_ index: Int) -> [Float] {
    precondition(index >= 0 && index < rows)
    return Array(UnsafeBufferPointer(start: block.base + index * columns, count: columns))
  }

  var base: UnsafePointer<Float> { UnsafePointer(block.base) }
}

extension Tensor {
  /// A tensor that has a shape and no values, for those who only ask what a model consists of.
  public init(shapeOnly rows: Int, _ columns: Int) {
    self.init(rows: rows, columns: columns, block: Block(base: Self.nothing, capacity: 0, owner: .shapeOnly))
  }

  /// Some of the columns, as rows.
  func transposed(columns range: Range<Int>) -> Tensor {
    guard !block.isShapeOnly else { return Tensor(shapeOnly: range.count, rows) }
    let block = Pool().take(range.count * rows)
    for row in 0..<rows {
      for (column, index) in range.enumerated() { block.base[column * rows + row] = base[row * columns + index] }
    }
    return Tensor(rows: range.count, columns: rows, block: block)
  }

  /// Some of the columns.
  func columns(_ range: Range<Int>) -> Tensor {
    guard !block.isShapeOnly else { return Tensor(shapeOnly: rows, range.count) }
    let block = Pool().take(range.count * rows)
    for row in 0..<rows {
      (block.base + row * range.count).update(from: base + row * columns + range.lowerBound, count: range.count)
    }
    return Tensor(rows: rows, columns: range.count, block: block)
  }
}
