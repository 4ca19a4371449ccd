/// A value of the metadata of a GGUF file.
public enum GGUFValue: Hashable, Sendable {
  case integer(Int)
  case number(Double)
  case bool(Bool)
  case string(String)
  case integers([Int])
  case numbers([Double])
  case bools([Bool])
  case strings([String])

  /// An integer; `nil` if it is not one.
  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// A number, integers included; `nil` if it is not one.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  /// A truth value; `nil` if it is not one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// A text; `nil` if it is not one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// A list of integers; `nil` if it is not one.
  public var integers: [Int]? { if case .integers(let value) = self { value } else { nil } }
  /// A list of numbers, or of integers; `nil` if it is not one.
  public var numbers: [Double]? {
    switch self {
    case .numbers(let value): value
    case .integers(let value): value.map(Double.init)
    default: nil
    }
  }
  /// A list of texts; `nil` if it is not one.
  public var strings: [String]? { if case .strings(let value) = self { value } else { nil } }
}

/// The kinds of values, by their numbers in the file.
enum GGUFKind: UInt32 {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// The fewest bytes of a value.
  var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .string, .uint64, .int64, .float64: 8
    case .array: 12
    }
  }
}
