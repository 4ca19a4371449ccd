public import HubWords

extension Failure.Code {
  /// A shape does not fit the bytes that come with it, or is beyond all limits.
  public static let malformedTensor = Self("tensor/malformed", .badData)
  /// A tensor holds integers where floating-point numbers are needed.
  public static let tensorType = Self("tensor/type", .badData)
  /// A tensor holds an infinity or something that is not a number.
  public static let nonFiniteTensor = Self("tensor/not-finite", .badData)
  /// A tensor that is needed is not there.
  public static let missingTensor = Self("tensor/missing", .badData)
}

/// A tensor as it lies in a file: row-major, little-endian, contiguous. Its bytes are mapped or shared, not copied.
public struct StoredTensor: Sendable {
  /// The name in the file, unless it was renamed.
  public let name: String
  /// What its elements are.
  public let type: ElementType
  /// Sizes of the dimensions, outermost first; empty for a single number.
  public let shape: [Int]
  /// Elements in all.
  public let count: Int
  let region: ByteRegion

  /// A tensor made of bytes in memory.
  ///
  /// - Throws: ``Failure/Code/malformedTensor`` if `bytes` are not exactly as many as type and shape need.
  public init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) throws {
    try self.init(name: name, type: type, shape: shape, region: ByteRegion(bytes))
  }

  /// A tensor of 32-bit numbers.
  public init(name: String, shape: [Int], floats: [Float]) throws {
    let bytes = floats.map { $0.bitPattern.littleEndian }.withUnsafeBytes { [UInt8]($0) }
    try self.init(name: name, type: .float32, shape: shape, bytes: bytes)
  }

  /// A tensor in memory that `owner` keeps alive and nobody changes.
  ///
  /// - Throws: ``Failure/Code/malformedTensor`` if the bytes are not exactly as many as type and shape need.
  public init(
    name: String, type: ElementType, shape: [Int], borrowing bytes: UnsafeRawBufferPointer,
    owner: any AnyObject & Sendable
  ) throws {
    try self.init(name: name, type: type, shape: shape, region: ByteRegion(borrowing: bytes, owner: owner))
  }

  init(name: String, type: ElementType, shape: [Int], region: ByteRegion) throws {
    count = try Self.elementCount(of: shape, name: name)
    guard count * type.byteSize == region.count else {
      throw Failure(
        .malformedTensor,
        "\(type.rawValue) \(shape) needs \(count * type.byteSize) bytes, but there are \(region.count)",
        at: name)
    }
    self.name = name
    self.type = type
    self.shape = shape
    self.region = region
  }

  /// The product of the dimensions, each at most 2^31 - 1, at most 2^40 in all, so that their bytes fit an `Int`.
  static func elementCount(of shape: [Int], name: String) throws -> Int {
    guard shape.count <= InputLimits.rank else {
      throw Failure(.malformedTensor, "a tensor has \(shape.count) dimensions, more than \(InputLimits.rank)", at: name)
    }
    var count = 1
    for size in shape {
      guard (0...InputLimits.dimension).contains(size) else {
        throw Failure(.malformedTensor, "a dimension of \(size) is impossible", at: name)
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= InputLimits.elements else {
        throw Failure(.malformedTensor, "the shape \(shape) is too large", at: name)
      }
      count = product
    }
    return count
  }

  /// The same bytes under another name.
  public func renamed(_ name: String) -> StoredTensor { StoredTensor(self, name: name, shape: shape) }

  /// The same elements in another shape; `nil` if it has another number of them.
  public func reshaped(_ shape: [Int]) -> StoredTensor? {
    (try? Self.elementCount(of: shape, name: name)) == count ? StoredTensor(self, name: name, shape: shape) : nil
  }

  private init(_ other: StoredTensor, name: String, shape: [Int]) {
    self.name = name
    type = other.type
    self.shape = shape
    count = other.count
    region = other.region
  }

  /// Bytes in all.
  public var byteCount: Int { region.count }

  /// The bytes as they lie in the file, not aligned to anything, valid during the call.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try region.withBytes(body)
  }

  /// The elements as 32-bit numbers, valid during the call: the mapped bytes themselves where they are `F32` and
  /// aligned, converted otherwise.
  ///
  /// - Throws: ``Failure/Code/tensorType`` if the tensor holds integers.
  public func withFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) throws -> Result {
    if type == .float32 {
      let result: Result? = try region.withBytes { bytes in
        guard Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 else { return nil }
        return try bytes.withMemoryRebound(to: Float.self, body)
      }
      if let result { return result }
    }
    return try floats().withUnsafeBufferPointer(body)
  }

  /// The bytes themselves, for as long as the object beside them lives; `nil` unless they are mapped or borrowed,
  /// aligned, and of a type of four bytes.
  public func withMappedUnits<Result>(
    _ body: (UnsafeBufferPointer<Float>, any AnyObject & Sendable) throws -> Result
  ) rethrows -> Result? {
    guard type.byteSize == MemoryLayout<Float>.size, let owner = region.owner else { return nil }
    return try region.withBytes { bytes in
      guard Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 else { return nil }
      return try body(bytes.assumingMemoryBound(to: Float.self), owner)
    }
  }

  /// A copy of the elements as 32-bit numbers; `F64` is rounded.
  ///
  /// - Throws: ``Failure/Code/tensorType`` if the tensor holds integers.
  public func floats() throws -> [Float] {
    switch type {
    case .float32: return map(UInt32.self) { Float(bitPattern: $0) }
    case .float64: return map(UInt64.self) { Float(Double(bitPattern: $0)) }
    case .float16: return map(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .bfloat16: return map(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .int64, .int32, .int16, .int8, .uint8, .bool:
      throw Failure(.tensorType, "expected floating-point numbers, found \(type.rawValue)", at: name)
    }
  }

  /// The nearest numbers of 16 bits, ties to even, of which the first eight are significant.
  ///
  /// - Throws: ``Failure/Code/tensorType`` if the tensor holds integers.
  public func roundedToBFloat16() throws -> StoredTensor {
    let halves = try floats().map { value -> UInt16 in
      let bits = value.bitPattern
      return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16).littleEndian
    }
    return try StoredTensor(name: name, type: .bfloat16, shape: shape, bytes: halves.withUnsafeBytes { [UInt8]($0) })
  }

  private func map<Bits: FixedWidthInteger>(_: Bits.Type, _ convert: (Bits) -> Float) -> [Float] {
    region.withBytes { bytes in
      [Float](unsafeUninitializedCapacity: count) { target, initialized in
        for index in 0..<count {
          let bits = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
          target.initializeElement(at: index, to: convert(Bits(littleEndian: bits)))
        }
        initialized = count
      }
    }
  }

  /// The index, in row-major order, of the first element that is infinite or not a number; `nil` if all are
  /// finite, as integers always are.
  public var firstNonFinite: Int? {
    switch type {
    case .float64: firstIndex(UInt64.self, exponent: 0x7FF0_0000_0000_0000)
    case .float32: firstIndex(UInt32.self, exponent: 0x7F80_0000)
    case .float16: firstIndex(UInt16.self, exponent: 0x7C00)
    case .bfloat16: firstIndex(UInt16.self, exponent: 0x7F80)
    case .int64, .int32, .int16, .int8, .uint8, .bool: nil
    }
  }

  private func firstIndex<Bits: FixedWidthInteger>(_: Bits.Type, exponent: Bits) -> Int? {
    region.withBytes { bytes in
      (0..<count).first { index in
        Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self))
          & exponent == exponent
      }
    }
  }

  /// - Throws: ``Failure/Code/nonFiniteTensor``, naming the tensor and the element.
  public func checkFinite() throws {
    guard let index = firstNonFinite else { return }
    throw Failure(.nonFiniteTensor, "element \(index) is infinite or not a number", at: name)
  }
}

/// The tensors of one file or of one set of shards.
public struct WeightFile: Sendable {
  /// Where they come from, for messages.
  public let path: String
  /// In ascending order of their names' bytes.
  public let tensors: [StoredTensor]
  /// What the file says about itself: free text.
  public let metadata: [String: String]
  private let indexes: [String: Int]

  /// - Throws: ``Failure/Code/malformedTensor`` if two tensors have the same name.
  public init(path: String, tensors: [StoredTensor], metadata: [String: String] = [:]) throws {
    self.path = path
    self.metadata = metadata
    self.tensors = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var indexes: [String: Int] = [:]
    for (index, tensor) in self.tensors.enumerated() {
      guard indexes.updateValue(index, forKey: tensor.name) == nil else {
        throw Failure(.malformedTensor, "two tensors have the same name", at: tensor.name).within(path)
      }
    }
    self.indexes = indexes
  }

  /// The tensor of this name; `nil` if there is none.
  public subscript(name: String) -> StoredTensor? { indexes[name].map { tensors[$0] } }

  /// - Throws: ``Failure/Code/missingTensor``
  public func tensor(_ name: String) throws -> StoredTensor {
    guard let tensor = self[name] else {
      throw Failure(.missingTensor, "there is no such tensor", at: name).within(path)
    }
    return tensor
  }

  /// Refuses infinities and what is not a number, naming tensor and element.
  public func checkFinite() throws {
    try locating(path) { for tensor in tensors { try tensor.checkFinite() } }
  }
}
