extension JSON {
  /// What a document may hold. A caller raises a limit for a file of a known kind; no input can.
  public struct Limits: Sendable {
    /// Bytes of the document.
    public var bytes: Int
    /// Levels of arrays and objects.
    public var depth: Int
    /// Values of any kind in the whole document.
    public var values: Int
    /// Whether integers beyond 64 bits are read as fractions: others write 10^30 for "no limit".
    public var roundsIntegers: Bool
    /// Whether numbers stay as they were written, those that Python adds to JSON included (`NaN`, `Infinity`).
    public var keepsNumerals: Bool

    public init(
      bytes: Int = InputLimits.jsonBytes, depth: Int = InputLimits.jsonDepth, values: Int = InputLimits.jsonValues,
      roundsIntegers: Bool = false, keepsNumerals: Bool = false
    ) {
      self.bytes = bytes
      self.depth = depth
      self.values = values
      self.roundsIntegers = roundsIntegers
      self.keepsNumerals = keepsNumerals
    }
  }

  /// Reads one JSON document (RFC 8259), more strictly than most: duplicate keys, lone surrogates, numbers
  /// outside of binary64 and anything after the document are refused, so that no two readers can differ.
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/malformedJSON`` and the byte where it goes wrong, or
  ///   ``Failure/Code/excessiveJSON``.
  public init(parsing bytes: some Collection<UInt8>, limits: Limits = Limits()) throws {
    guard bytes.count <= limits.bytes else {
      throw Failure(.excessiveJSON, "the JSON has \(bytes.count) bytes, more than the \(limits.bytes) allowed")
    }
    var parser = JSONParser(bytes: Array(bytes), limits: limits)
    self = try parser.document()
  }

  /// Reads one JSON document, more strictly than most; see the initializer that takes bytes.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/malformedJSON`` or ``Failure/Code/excessiveJSON``.
  public init(parsing text: String, limits: Limits = Limits()) throws {
    try self.init(parsing: text.utf8, limits: limits)
  }

  /// Reads an object as far as it can be read.
  ///
  /// - Returns: its members, or those before the place where it goes wrong, and what went wrong there.
  public static func members(parsing bytes: [UInt8], limits: Limits = Limits()) -> (Members, Failure?) {
    guard bytes.count <= limits.bytes else {
      return (
        Members(), Failure(.excessiveJSON, "the JSON has \(bytes.count) bytes, more than the \(limits.bytes) allowed")
      )
    }
    var parser = JSONParser(bytes: bytes, limits: limits)
    do {
      return (try JSONObject(try parser.document()).members, nil)
    } catch {
      return (parser.outermost, error as? Failure ?? Failure(.malformedJSON, "\(error)"))
    }
  }

  /// What some programs put before text in UTF-8.
  public static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

/// A recursive-descent parser over bytes; its depth is bounded by ``JSON/Limits/depth``.
private struct JSONParser {
  let bytes: [UInt8]
  let limits: JSON.Limits
  var position = 0
  var depth = 0
  var values = 0
  /// The members of the outermost object before what is wrong in it.
  var outermost = JSON.Members()

  init(bytes: [UInt8], limits: JSON.Limits) {
    self.bytes = bytes
    self.limits = limits
  }

  func malformed(_ message: String) -> Failure {
    Failure(.malformedJSON, message, at: "byte \(position)")
  }

  mutating func document() throws -> JSON {
    try checkEncoding()
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw malformed("unexpected text after the JSON document") }
    return value
  }

  /// Texts in another encoding than UTF-8 are told by their first bytes.
  func checkEncoding() throws {
    guard !bytes.starts(with: JSON.byteOrderMark) else {
      throw Failure(
        .malformedJSON, "the JSON begins with a byte order mark", at: "byte 0",
        hint: "save it as UTF-8 without the mark")
    }
    let start = bytes.prefix(4)
    guard start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) || start.contains(0) else { return }
    throw Failure(
      .malformedJSON, "the JSON is in UTF-16 or UTF-32", at: "byte 0",
      hint: "save it as UTF-8: iconv -f UTF-16 -t UTF-8")
  }

  mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
  }

  /// The next byte after white space, not consumed.
  mutating func next() throws -> UInt8 {
    skipSpace()
    guard position < bytes.count else { throw malformed("the JSON ends too early") }
    return bytes[position]
  }

  mutating func value() throws -> JSON {
    values += 1
    guard values <= limits.values else {
      throw Failure(.excessiveJSON, "the JSON has more than \(limits.values) values")
    }
    switch try next() {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "N"): return try notFinite("NaN")
    case UInt8(ascii: "I"): return try notFinite("Infinity")
    default: return try number()
    }
  }

  mutating func nested(_ body: (inout Self) throws -> JSON) throws -> JSON {
    depth += 1
    guard depth <= limits.depth else {
      throw Failure(.excessiveJSON, "the JSON is nested more than \(limits.depth) deep", at: "byte \(position)")
    }
    defer { depth -= 1 }
    position += 1
    return try body(&self)
  }

  mutating func object() throws -> JSON {
    var members = JSON.Members()
    do {
      try readMembers(into: &members)
    } catch {
      if depth == 1 { outermost = members }
      throw error
    }
    return .object(members)
  }

  mutating func readMembers(into members: inout JSON.Members) throws {
    var keys: Set<[UInt8]> = []
    if try next() == UInt8(ascii: "}") { position += 1; return }
    while true {
      guard try next() == UInt8(ascii: "\"") else { throw malformed("expected a key in quotes") }
      let key = try string()
      guard try next() == UInt8(ascii: ":") else {
        throw malformed("expected ':' after the key \(key.debugDescription)")
      }
      position += 1
      let value = try value()
      guard keys.insert(Array(key.utf8)).inserted else {
        throw malformed("the key \(key.debugDescription) appears twice")
      }
      members.entries.append(.init(key: key, value: value))
      guard try separator(closing: UInt8(ascii: "}")) else { return }
    }
  }

  mutating func array() throws -> JSON {
    var elements: [JSON] = []
    if try next() == UInt8(ascii: "]") { position += 1; return .array(elements) }
    repeat { elements.append(try value()) } while try separator(closing: UInt8(ascii: "]"))
    return .array(elements)
  }

  /// Consumes `,` (true) or the closing bracket (false).
  mutating func separator(closing: UInt8) throws -> Bool {
    let byte = try next()
    guard byte == UInt8(ascii: ",") || byte == closing else { throw malformed("expected ',' or a closing bracket") }
    position += 1
    return byte != closing
  }

  mutating func literal(_ text: StaticString, _ value: JSON) throws -> JSON {
    let end = position + text.utf8CodeUnitCount
    let matches = end <= bytes.count && text.withUTF8Buffer { $0.elementsEqual(bytes[position..<end]) }
    guard matches else { throw malformed("unknown literal") }
    position = end
    return value
  }

  /// What Python writes for numbers that JSON has not.
  mutating func notFinite(_ text: StaticString) throws -> JSON {
    let value = try literal(text, .numeral("\(text)"))
    guard limits.keepsNumerals else { throw malformed("\(text) is not JSON, which has finite numbers only") }
    return value
  }

  mutating func number() throws -> JSON {
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    if position > start, position < bytes.count, bytes[position] == UInt8(ascii: "I") {
      _ = try notFinite("Infinity")
      return .numeral("-Infinity")
    }
    let firstDigit = position
    try digits()
    if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
      throw malformed("a number has a leading zero")
    }
    var isInteger = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      try digits()
    }
    guard position - start <= InputLimits.jsonNumber else {
      throw malformed("a number has more than \(InputLimits.jsonNumber) characters")
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    // No integer has the value of `-0`: its sign is kept, as where others read it.
    if isInteger, text != "-0" {
      if let value = Int(text) { return .integer(value) }
      if limits.keepsNumerals { return .numeral(text) }
      guard limits.roundsIntegers else { throw malformed("the integer \(text) does not fit 64 bits") }
    }
    if limits.keepsNumerals { return .numeral(text) }
    guard let value = Double(text), value.isFinite else { throw malformed("the number \(text) is not finite") }
    return .number(value)
  }

  mutating func digits() throws {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    guard position > start else { throw malformed("expected a value") }
  }

  mutating func string() throws -> String {
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"),
      bytes[position] >= 0x20
    {
      position += 1
    }
    var text = try utf8(start..<position)
    while true {
      guard position < bytes.count else { throw malformed("a string does not end") }
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        text.unicodeScalars.append(try escape())
      case 0..<0x20:
        throw malformed("a control character in a string must be escaped")
      default:
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"),
          bytes[position] >= 0x20
        {
          position += 1
        }
        text += try utf8(start..<position)
      }
    }
  }

  func utf8(_ range: Range<Int>) throws -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw malformed("a string is not UTF-8") }
    return text
  }

  mutating func escape() throws -> Unicode.Scalar {
    guard position < bytes.count else { throw malformed("a string does not end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw malformed("unknown escape in a string")
    }
  }

  mutating func unicodeEscape() throws -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), position + 2 <= bytes.count,
      bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
    else { throw malformed("a lone surrogate in a string") }
    position += 2
    let second = try hexadecimal()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw malformed("a lone surrogate in a string") }
    return scalar
  }

  mutating func hexadecimal() throws -> UInt32 {
    guard position + 4 <= bytes.count else { throw malformed("a string does not end") }
    var value: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw malformed("a \\u escape needs four digits")
      }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }
}
