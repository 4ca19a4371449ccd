/// A JSON value that keeps integers apart from fractions, so that what was read is written back the same.
public enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  /// A number as it was written, where it is neither of the two to the letter: see ``JSON/Limits/keepsNumerals``.
  case numeral(String)
  case string(String)
  case array([JSON])
  case object(Members)

  /// The members of an object in the order of the file. Keys differ when their bytes differ: unlike in a
  /// `Dictionary<String, _>`, a composed and a decomposed "é" (as vocabularies hold them) are two keys.
  public struct Members: Hashable, Sendable {
    /// A member of an object.
    public struct Entry: Hashable, Sendable {
      /// The member's name.
      public let key: String
      /// The member's value.
      public var value: JSON
    }

    /// The members, in the order of the document.
    public internal(set) var entries: [Entry] = []

    public init() {}

    /// Members whose keys are known to differ, however many they are.
    package init(distinct members: some Sequence<(key: String, value: JSON)>) {
      entries = members.map { Entry(key: $0.key, value: $0.value) }
    }

    /// The value of `key`, found by looking through the members one by one: objects that people write are small.
    public subscript(key: String) -> JSON? {
      get { entries.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
      set {
        let index = entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
        switch (index, newValue) {
        case (let index?, let value?): entries[index].value = value
        case (let index?, nil): entries.remove(at: index)
        case (nil, let value?): entries.append(Entry(key: key, value: value))
        case (nil, nil): break
        }
      }
    }
  }
}

extension Failure.Code {
  /// The text is not JSON, or uses what our reader refuses: duplicate keys, lone surrogates, NaN.
  public static let malformedJSON = Self("json/malformed", .badData)
  /// The text exceeds a limit of ``JSON/Limits``.
  public static let excessiveJSON = Self("json/limit", .badData)
  /// A key is missing or its value has another type than the format says.
  public static let unexpectedJSON = Self("json/unexpected", .badData)
}

extension JSON {
  /// The members; `nil` if it is not an object.
  public var object: Members? { if case .object(let value) = self { value } else { nil } }
  /// The elements; `nil` if it is not an array.
  public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
  /// The text; `nil` if it is not a string.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The truth value; `nil` if it is not a boolean.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// Whether it is `null`.
  public var isNull: Bool { self == .null }

  /// An integer, also when written as a whole fraction such as `2.0`.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    case .numeral(let text): Double(text).flatMap(Int.init(exactly:))
    default: nil
    }
  }

  /// A number, integers included; `nil` if it is not a number.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .numeral(let text): Double(text)
    default: nil
    }
  }

  /// The member of an object, `nil` also where this is not an object.
  public subscript(key: String) -> JSON? { object?[key] }

  /// What the value is, for messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .number, .numeral: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// A JSON object together with the path that leads to it, so that a wrong value is reported by its place.
///
/// Every accessor throws ``Failure`` with code ``Failure/Code/unexpectedJSON`` that names the key.
public struct JSONObject: Sendable {
  /// The members of the object.
  public let members: JSON.Members
  /// Where the object stands, such as `config` or `files[2]`; empty at the top.
  public let path: String

  public init(_ members: JSON.Members, path: String = "") {
    self.members = members
    self.path = path
  }

  /// - Throws: ``Failure`` with code ``Failure/Code/unexpectedJSON`` if the value is not an object.
  public init(_ json: JSON, path: String = "") throws {
    guard case .object(let members) = json else {
      throw Failure(.unexpectedJSON, "expected an object, found \(json.kind)", at: path.isEmpty ? nil : path)
    }
    self.init(members, path: path)
  }

  /// The path of one key.
  public func path(to key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// The value of `key`, converted; throws when it is missing, null or of another type.
  public func required<Value>(_ key: String, _ what: String, _ convert: (JSON) -> Value?) throws -> Value {
    guard let value = try optional(key, what, convert) else {
      throw Failure(.unexpectedJSON, "\(what) is missing", at: path(to: key))
    }
    return value
  }

  /// The value of `key`, converted; `nil` when it is missing or null, an error when it is of another type.
  public func optional<Value>(_ key: String, _ what: String, _ convert: (JSON) -> Value?) throws -> Value? {
    guard let json = members[key], !json.isNull else { return nil }
    guard let value = convert(json) else {
      throw Failure(.unexpectedJSON, "expected \(what), found \(json.kind)", at: path(to: key))
    }
    return value
  }

  /// A string that must be there.
  public func string(_ key: String) throws -> String { try required(key, "a string") { $0.string } }
  /// An integer that must be there.
  public func integer(_ key: String) throws -> Int { try required(key, "an integer") { $0.integer } }
  /// A number that must be there.
  public func number(_ key: String) throws -> Double { try required(key, "a number") { $0.number } }
  /// An array that must be there.
  public func array(_ key: String) throws -> [JSON] { try required(key, "an array") { $0.array } }
  /// An object that must be there.
  public func object(_ key: String) throws -> JSONObject {
    JSONObject(try required(key, "an object") { $0.object }, path: path(to: key))
  }
  /// An array of strings that must be there.
  public func strings(_ key: String) throws -> [String] {
    try required(key, "an array of strings") { $0.strings }
  }

  /// A string; `nil` if the key is missing or null.
  public func optionalString(_ key: String) throws -> String? { try optional(key, "a string") { $0.string } }
  /// An integer; `nil` if the key is missing or null.
  public func optionalInteger(_ key: String) throws -> Int? { try optional(key, "an integer") { $0.integer } }
  /// A number; `nil` if the key is missing or null.
  public func optionalNumber(_ key: String) throws -> Double? { try optional(key, "a number") { $0.number } }
  /// A boolean; `nil` if the key is missing or null.
  public func optionalBool(_ key: String) throws -> Bool? { try optional(key, "a boolean") { $0.bool } }
  /// An array of strings; `nil` if the key is missing or null.
  public func optionalStrings(_ key: String) throws -> [String]? {
    try optional(key, "an array of strings") { $0.strings }
  }
  /// An object; `nil` if the key is missing or null.
  public func optionalObject(_ key: String) throws -> JSONObject? {
    try optional(key, "an object") { $0.object }.map { JSONObject($0, path: path(to: key)) }
  }
}

extension JSON {
  /// The elements of an array of strings; `nil` if one is not a string.
  public var strings: [String]? {
    guard let array else { return nil }
    let strings = array.compactMap(\.string)
    return strings.count == array.count ? strings : nil
  }

  /// The elements of an array of integers; `nil` if one is not an integer.
  public var integers: [Int]? {
    guard let array else { return nil }
    let integers = array.compactMap(\.integer)
    return integers.count == array.count ? integers : nil
  }
}
