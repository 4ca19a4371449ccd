public import HubWords

extension Failure.Code {
  /// A pickle ends before its STOP.
  public static let truncatedPickle = Self("pickle/truncated", .badData)
  /// A pickle does not make sense: an empty stack, an unknown memo, a value of the wrong kind.
  public static let malformedPickle = Self("pickle/malformed", .badData)
  /// A pickle is longer, deeper or does more than any adapter needs.
  public static let excessivePickle = Self("pickle/limit", .badData)
  /// A pickle names a function or class that is not on the short list of what weights are made of.
  public static let forbiddenGlobal = Self("pickle/forbidden-global", .refused)
  /// A pickle uses an instruction that plain weights never need.
  public static let forbiddenOpcode = Self("pickle/forbidden-opcode", .refused)
}

/// A value of a pickle. Containers are indexes into ``PickleReader/objects``, so that values that contain each
/// other, or themselves, cost nothing and nothing here is recursive.
enum PickleValue: Hashable {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  /// A function or class by name. It is a name, never the thing.
  case global(PickleGlobal)
  case object(Int)
}

/// What a ``PickleValue/object(_:)`` refers to.
enum PickleObject {
  case tuple([PickleValue])
  case list([PickleValue])
  case dictionary([(key: PickleValue, value: PickleValue)])
  /// What REDUCE would have called, written down instead.
  case call(PickleGlobal, arguments: [PickleValue])
  /// A reference to something outside of the pickle: a storage.
  case persistent(PickleValue)
}

/// All globals that weights are made of; there is no way to name another.
struct PickleGlobal: Hashable {
  let module: String
  let name: String

  static let orderedDictionary = Self(module: "collections", name: "OrderedDict")
  static let rebuildTensor = Self(module: "torch._utils", name: "_rebuild_tensor_v2")
  static let rebuildParameter = Self(module: "torch._utils", name: "_rebuild_parameter")

  /// The type of a storage's elements, if this names a storage.
  var storageType: ElementType? { module == "torch" ? Self.storageTypes[name] : nil }

  static let storageTypes: [String: ElementType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
    "ByteStorage": .uint8, "BoolStorage": .bool,
  ]

  var isAllowed: Bool {
    storageType != nil || self == .orderedDictionary || self == .rebuildTensor || self == .rebuildParameter
  }
}

/// Reads a pickle as data: a machine of a few instructions that builds values and never calls anything.
struct PickleReader {
  private(set) var objects: [PickleObject] = []
  private var depths: [Int] = []
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private let bytes: [UInt8]
  /// The byte after the last one read.
  private(set) var position: Int

  /// Reads one pickle from `bytes`, beginning at `start`. Use ``objects`` for what the root refers to.
  static func read(_ bytes: [UInt8], from start: Int = 0) throws -> (root: PickleValue, reader: PickleReader) {
    var reader = PickleReader(bytes: bytes, position: start)
    return (try reader.run(), reader)
  }

  private init(bytes: [UInt8], position: Int) {
    self.bytes = bytes
    self.position = position
  }

  private func malformed(_ message: String) -> Failure { Failure(.malformedPickle, message, at: "byte \(position)") }
  private func excessive(_ message: String) -> Failure { Failure(.excessivePickle, message, at: "byte \(position)") }

  private mutating func run() throws -> PickleValue {
    let start = position
    for _ in 0..<InputLimits.pickleInstructions {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty else {
          throw malformed("the pickle ends with \(stack.count) values, not one")
        }
        return try pop()
      }
      try execute(opcode)
      guard stack.count <= InputLimits.pickleStack, marks.count <= InputLimits.pickleStack else {
        throw excessive("the pickle piles up too many values")
      }
      guard position - start <= InputLimits.pickleBytes else {
        throw excessive("the pickle has more than \(InputLimits.pickleBytes) bytes")
      }
    }
    throw excessive("the pickle has more than \(InputLimits.pickleInstructions) instructions")
  }

  private mutating func execute(_ opcode: UInt8) throws {
    switch opcode {
    case 0x80: try checkProtocol()
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try integer(4)))))
    case UInt8(ascii: "K"): stack.append(.integer(try integer(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try integer(2)))
    case 0x8A: stack.append(.integer(try long()))
    case UInt8(ascii: "G"): stack.append(.number(try double()))
    case UInt8(ascii: "X"): stack.append(.string(try string(count: try integer(4))))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): try push(.tuple([]))
    case UInt8(ascii: "t"): try push(.tuple(try popToMark()))
    case 0x85: try push(.tuple(try pop(1)))
    case 0x86: try push(.tuple(try pop(2)))
    case 0x87: try push(.tuple(try pop(3)))
    case UInt8(ascii: "]"): try push(.list([]))
    case UInt8(ascii: "}"): try push(.dictionary([]))
    case UInt8(ascii: "a"): try append(try pop(1))
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"): try setItems(try pop(2))
    case UInt8(ascii: "u"): try setItems(try popToMark())
    case UInt8(ascii: "q"): try remember(at: try integer(1))
    case UInt8(ascii: "r"): try remember(at: try integer(4))
    case UInt8(ascii: "h"): stack.append(try recall(try integer(1)))
    case UInt8(ascii: "j"): stack.append(try recall(try integer(4)))
    case UInt8(ascii: "c"): stack.append(.global(try global()))
    case UInt8(ascii: "Q"): try push(.persistent(try pop()))
    case UInt8(ascii: "R"): try reduce()
    case UInt8(ascii: "b"): try build()
    default:
      let name = Self.forbidden[opcode].map { "\($0)" } ?? "0x" + String(opcode, radix: 16)
      throw Failure(
        .forbiddenOpcode, "the pickle uses the instruction \(name), which weights never need",
        at: "byte \(position - 1)")
    }
  }

  /// Names for messages.
  private static let forbidden: [UInt8: String] = [
    0x69: "INST", 0x6F: "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 0x93: "STACK_GLOBAL", 0x82: "EXT1", 0x83: "EXT2",
    0x84: "EXT4", 0x50: "PERSID", 0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x95: "FRAME", 0x94: "MEMOIZE",
  ]
}

// MARK: - Arguments of instructions

extension PickleReader {
  private mutating func byte() throws -> UInt8 {
    guard position < bytes.count else {
      throw Failure(.truncatedPickle, "the pickle ends too early", at: "byte \(position)")
    }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func slice(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else {
      throw Failure(.truncatedPickle, "the pickle ends too early", at: "byte \(position)")
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// A little-endian unsigned integer of at most 4 bytes.
  private mutating func integer(_ count: Int) throws -> Int {
    try slice(count).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// A little-endian signed integer of at most 8 bytes.
  private mutating func long() throws -> Int {
    let count = try integer(1)
    guard count <= 8 else { throw excessive("the pickle holds an integer of \(count) bytes") }
    let digits = try slice(count)
    guard let last = digits.last else { return 0 }
    let sign: UInt64 = last >= 0x80 && count < 8 ? UInt64.max << UInt64(8 * count) : 0
    return Int(bitPattern: UInt(digits.reversed().reduce(0) { $0 << 8 | UInt64($1) } | sign))
  }

  private mutating func double() throws -> Double {
    Double(bitPattern: try slice(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  private mutating func string(count: Int) throws -> String {
    guard let text = String(validating: try slice(count), as: UTF8.self) else {
      throw malformed("a string is not UTF-8")
    }
    return text
  }

  private mutating func checkProtocol() throws {
    let version = try byte()
    guard version == 2 else { throw malformed("torch writes pickle protocol 2, not \(version)") }
  }

  private mutating func global() throws -> PickleGlobal {
    let global = PickleGlobal(module: try line(), name: try line())
    guard global.isAllowed else {
      throw Failure(
        .forbiddenGlobal,
        "the file asks for \(global.module.debugDescription) \(global.name.debugDescription), which is not part of any weights",
        at: "byte \(position)", hint: "nothing was run; ask the author for safetensors")
    }
    return global
  }

  /// Printable ASCII up to a line feed.
  private mutating func line() throws -> String {
    var text = ""
    while true {
      let byte = try byte()
      if byte == 0x0A { return text }
      guard (0x20..<0x7F).contains(byte), text.utf8.count < 256 else {
        throw malformed("the name of a global is not plain")
      }
      text.unicodeScalars.append(Unicode.Scalar(byte))
    }
  }
}

// MARK: - The stack

extension PickleReader {
  private var floor: Int { marks.last ?? 0 }

  private mutating func pop() throws -> PickleValue {
    guard stack.count > floor, let value = stack.popLast() else {
      throw malformed("the pickle takes a value that is not there")
    }
    return value
  }

  private mutating func pop(_ count: Int) throws -> [PickleValue] {
    guard stack.count - floor >= count else { throw malformed("the pickle takes values that are not there") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw malformed("the pickle goes back to a mark that is not there") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func push(_ object: PickleObject) throws {
    let children: [PickleValue] =
      switch object {
      case .tuple(let values), .list(let values), .call(_, let values): values
      case .persistent(let value): [value]
      case .dictionary: []
      }
    objects.append(object)
    depths.append(1)
    try deepen(objects.count - 1, by: children)
    stack.append(.object(objects.count - 1))
  }

  /// Notes that `children` are now inside of the object.
  private mutating func deepen(_ index: Int, by children: [PickleValue]) throws {
    for case .object(let child) in children { depths[index] = max(depths[index], depths[child] + 1) }
    guard depths[index] <= InputLimits.pickleDepth else {
      throw excessive("the pickle is nested more than \(InputLimits.pickleDepth) deep")
    }
  }

  /// The object at the top of the stack, which stays there.
  private func top() throws -> Int {
    guard stack.count > floor, case .object(let index)? = stack.last else {
      throw malformed("the pickle changes something that is not a container")
    }
    return index
  }

  private mutating func append(_ values: [PickleValue]) throws {
    let index = try top()
    guard case .list(var list) = objects[index] else {
      throw malformed("the pickle appends to something that is not a list")
    }
    objects[index] = .list([])
    list += values
    objects[index] = .list(list)
    try deepen(index, by: values)
  }

  private mutating func setItems(_ values: [PickleValue]) throws {
    let index = try top()
    guard case .dictionary(var items) = objects[index], values.count % 2 == 0 else {
      throw malformed("the pickle sets items of something that is not a dictionary")
    }
    objects[index] = .dictionary([])
    for pair in stride(from: 0, to: values.count, by: 2) { items.append((values[pair], values[pair + 1])) }
    objects[index] = .dictionary(items)
    try deepen(index, by: values)
  }

  private mutating func remember(at index: Int) throws {
    guard let value = stack.last, stack.count > floor else {
      throw malformed("the pickle remembers a value that is not there")
    }
    guard memo.count < InputLimits.pickleMemo else {
      throw excessive("the pickle remembers more than \(InputLimits.pickleMemo) values")
    }
    memo[index] = value
  }

  private func recall(_ index: Int) throws -> PickleValue {
    guard let value = memo[index] else { throw malformed("the pickle recalls a value that it never remembered") }
    return value
  }

  private mutating func reduce() throws {
    let operands = try pop(2)
    guard case .global(let function) = operands[0], case .object(let index) = operands[1],
      case .tuple(let arguments) = objects[index]
    else { throw malformed("the pickle calls something that is not a function") }
    if function == .orderedDictionary {
      guard arguments.isEmpty else { throw malformed("an OrderedDict is made with arguments") }
      try push(.dictionary([]))
    } else if function.storageType != nil {
      throw malformed("the pickle calls the storage class \(function.name)")
    } else {
      try push(.call(function, arguments: arguments))
    }
  }

  /// BUILD gives an OrderedDict its attributes, such as `_metadata`. They are not weights and are left out.
  private mutating func build() throws {
    _ = try pop()
    guard case .dictionary = objects[try top()] else {
      throw malformed("the pickle sets attributes of something that is not a dictionary")
    }
  }

  /// What a value is, for messages.
  func kind(of value: PickleValue) -> String {
    switch value {
    case .none: return "None"
    case .bool: return "a boolean"
    case .integer: return "an integer"
    case .number: return "a number"
    case .string: return "a string"
    case .global(let global): return "the class \(global.name)"
    case .object(let index):
      switch objects[index] {
      case .tuple: return "a tuple"
      case .list: return "a list"
      case .dictionary: return "a dictionary"
      case .call(let function, _): return function == .rebuildParameter ? "a parameter" : "a tensor"
      case .persistent: return "a storage"
      }
    }
  }
}
