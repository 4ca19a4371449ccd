import HubWords

/// Reads what stands before the tensors' data of a GGUF file.
struct GGUFReader {
  static let magic = Array("GGUF".utf8)

  let bytes: UnsafeRawBufferPointer
  private var place = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func read() throws -> GGUFHead {
    guard bytes.prefix(4).elementsEqual(Self.magic) else {
      throw Failure(.malformedGGUF, "the file does not begin with GGUF")
    }
    place = 4
    let version = try integer(UInt32.self)
    guard version == 2 || version == 3 else {
      throw Failure(.unsupportedGGUF, "version \(version) of GGUF is not supported, only 2 and 3")
    }
    let tensors = try count("tensors", limit: InputLimits.tensors, leastBytes: 24)
    let values = try count("values", limit: InputLimits.ggufValues, leastBytes: 13)
    var head = GGUFHead()
    for _ in 0..<values {
      let key = try text(limit: InputLimits.ggufName, "a key")
      let value = try locating(key) { try self.value() }
      guard head.metadata.updateValue(value, forKey: key) == nil else {
        throw Failure(.malformedGGUF, "the key appears twice", at: key)
      }
    }
    head.alignment = try alignment(head.metadata["general.alignment"])
    for _ in 0..<tensors { head.entries.append(try entry()) }
    head.end = place
    return head
  }

  private func alignment(_ value: GGUFValue?) throws -> Int {
    guard let value else { return 32 }
    guard let alignment = value.integer, (1...65_536).contains(alignment), alignment & (alignment - 1) == 0 else {
      throw Failure(.malformedGGUF, "the alignment is not a power of two of up to 65536", at: "general.alignment")
    }
    return alignment
  }

  // MARK: Parts

  private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
    guard count >= 0, count <= bytes.count - place else {
      throw Failure(.truncatedGGUF, "the file ends at byte \(bytes.count), within its head")
    }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  private mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
  }

  /// A number of things, each of which needs some bytes that must be there.
  private mutating func count(_ what: String, limit: Int, leastBytes: Int) throws -> Int {
    let count = try integer(UInt64.self)
    guard count <= UInt64(limit) else {
      throw Failure(.excessiveGGUF, "the file says that it has \(count) \(what), more than \(limit)")
    }
    guard Int(count) <= (bytes.count - place) / leastBytes else {
      throw Failure(.truncatedGGUF, "the file says that it has \(count) \(what), and is too short for them")
    }
    return Int(count)
  }

  private mutating func text(limit: Int, _ what: String) throws -> String {
    let count = try count("bytes in \(what)", limit: limit, leastBytes: 1)
    guard let text = String(validating: try take(count), as: UTF8.self) else {
      throw Failure(.malformedGGUF, "\(what) is not UTF-8")
    }
    return text
  }

  private mutating func kind() throws -> GGUFKind {
    let number = try integer(UInt32.self)
    guard let kind = GGUFKind(rawValue: number) else {
      throw Failure(.malformedGGUF, "\(number) is not a known type of value")
    }
    return kind
  }

  private mutating func value() throws -> GGUFValue {
    switch try kind() {
    case .bool: .bool(try bool())
    case .string: .string(try text(limit: InputLimits.ggufText, "a text"))
    case .float32: .number(try number(.float32))
    case .float64: .number(try number(.float64))
    case .array: try array()
    case let kind: .integer(try integer(kind))
    }
  }

  private mutating func number(_ kind: GGUFKind) throws -> Double {
    kind == .float64
      ? Double(bitPattern: try integer(UInt64.self)) : Double(Float(bitPattern: try integer(UInt32.self)))
  }

  private mutating func bool() throws -> Bool {
    let byte = try integer(UInt8.self)
    guard byte <= 1 else { throw Failure(.malformedGGUF, "a boolean must be 0 or 1, not \(byte)") }
    return byte == 1
  }

  private mutating func integer(_ kind: GGUFKind) throws -> Int {
    switch kind {
    case .uint8: return Int(try integer(UInt8.self))
    case .int8: return Int(try integer(Int8.self))
    case .uint16: return Int(try integer(UInt16.self))
    case .int16: return Int(try integer(Int16.self))
    case .uint32: return Int(try integer(UInt32.self))
    case .int32: return Int(try integer(Int32.self))
    case .int64: return Int(try integer(Int64.self))
    default:
      let value = try integer(UInt64.self)
      guard let exact = Int(exactly: value) else { throw Failure(.excessiveGGUF, "the integer \(value) is too large") }
      return exact
    }
  }

  private mutating func array() throws -> GGUFValue {
    let kind = try kind()
    let count = try count("elements in an array", limit: InputLimits.ggufElements, leastBytes: kind.byteCount)
    switch kind {
    case .bool: return .bools(try list(count) { try $0.bool() })
    case .string: return .strings(try list(count) { try $0.text(limit: InputLimits.ggufText, "a text") })
    case .float32, .float64: return .numbers(try list(count) { try $0.number(kind) })
    case .array: throw Failure(.unsupportedGGUF, "arrays of arrays are not supported")
    default: return .integers(try list(count) { try $0.integer(kind) })
    }
  }

  private mutating func list<Element>(_ count: Int, _ read: (inout GGUFReader) throws -> Element) throws -> [Element] {
    var list: [Element] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try read(&self)) }
    return list
  }

  private mutating func entry() throws -> GGUFHead.Entry {
    let name = try text(limit: InputLimits.ggufName, "the name of a tensor")
    return try locating(name) {
      let rank = try integer(UInt32.self)
      guard (1...4).contains(rank) else { throw Failure(.malformedGGUF, "a tensor cannot have \(rank) dimensions") }
      var shape: [Int] = []
      for _ in 0..<rank {
        guard let size = Int(exactly: try integer(UInt64.self)) else {
          throw Failure(.excessiveGGUF, "a dimension is too large")
        }
        shape.insert(size, at: 0)
      }
      let number = try integer(UInt32.self)
      guard let type = GGUFType(rawValue: number) else {
        throw Failure(
          .unsupportedGGUF, "tensors of type \(GGUFType.others[number] ?? String(number)) are not supported",
          hint: "supported: " + GGUFType.allCases.map(\.name).joined(separator: ", "))
      }
      let count = try StoredTensor.elementCount(of: shape, name: name)
      guard (shape.last ?? 0) % type.blockElements == 0 else {
        throw Failure(.malformedGGUF, "rows of \(shape.last ?? 0) elements are not whole blocks of \(type.name)")
      }
      guard let offset = Int(exactly: try integer(UInt64.self)), offset <= bytes.count else {
        throw Failure(.truncatedGGUF, "the tensor begins after the end of the file")
      }
      return GGUFHead.Entry(
        name: name, type: type, shape: shape, count: count, byteCount: count / type.blockElements * type.blockBytes,
        offset: offset)
    }
  }
}
