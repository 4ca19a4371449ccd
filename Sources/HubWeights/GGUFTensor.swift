import HubWords

/// A tensor of a GGUF file as it lies there, mapped: rows of blocks.
public struct GGUFTensor: Sendable {
  /// The name in the file.
  public let name: String
  /// What its elements are.
  public let type: GGUFType
  /// Sizes of the dimensions, outermost first: turned round from the file, which has the innermost first.
  public let shape: [Int]
  /// Elements in all.
  public let count: Int
  let region: ByteRegion

  /// Elements of a row.
  public var columns: Int { shape.last ?? 1 }
  /// Bytes of a row.
  public var rowBytes: Int { columns / type.blockElements * type.blockBytes }

  /// The blocks as they lie in the file, row after row, valid during the call.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try region.withBytes(body)
  }

  /// Writes the numbers of some rows.
  ///
  /// - Parameter output: room for exactly as many numbers
  public func expand(rows: Range<Int>, into output: UnsafeMutableBufferPointer<Float>) {
    precondition(
      output.count == rows.count * columns, "\(output.count) numbers are not \(rows.count) rows of \(columns)")
    region.withBytes { bytes in
      let (elements, size) = (type.blockElements, type.blockBytes)
      var (source, target) = (rows.lowerBound * rowBytes, 0)
      while target < output.count {
        GGUFBlocks.expand(
          type, UnsafeRawBufferPointer(rebasing: bytes[source..<source + size]),
          into: UnsafeMutableBufferPointer(rebasing: output[target..<target + elements]))
        (source, target) = (source + size, target + elements)
      }
    }
  }

  /// All numbers, row after row.
  public func floats() -> [Float] {
    guard count > 0 else { return [] }
    return [Float](unsafeUninitializedCapacity: count) { output, initialised in
      expand(rows: 0..<count / columns, into: UnsafeMutableBufferPointer(rebasing: output[0..<count]))
      initialised = count
    }
  }

  /// The same tensor in 32 bits.
  ///
  /// - Parameter rowOrder: which row of the file comes in which place; `nil` for the order of the file
  /// - Throws: ``Failure`` with code ``Failure/Code/nonFiniteTensor`` if a scale is not finite
  public func expanded(named name: String, rowOrder: [Int]? = nil) throws -> StoredTensor {
    let numbers = Numbers(count: count)
    for row in 0..<(count == 0 ? 0 : count / columns) {
      let place = UnsafeMutableBufferPointer(rebasing: numbers.memory[row * columns..<(row + 1) * columns])
      let source = rowOrder.map { $0[row] } ?? row
      expand(rows: source..<source + 1, into: place)
      // x - x is 0 for what is finite, and not a number for all else.
      guard place.reduce(Float(0), { $0 + ($1 - $1) }) == 0 else {
        throw Failure(.nonFiniteTensor, "row \(source) holds a value that is not finite", at: self.name)
      }
    }
    return try StoredTensor(
      name: name, type: .float32, shape: shape, borrowing: UnsafeRawBufferPointer(numbers.memory), owner: numbers)
  }
}

/// Memory for numbers that models use where it lies. It is written before anybody else sees it, and not again.
private final class Numbers: Sendable {
  nonisolated(unsafe) let memory: UnsafeMutableBufferPointer<Float>

  init(count: Int) { memory = .allocate(capacity: count) }

  deinit { memory.deallocate() }
}
