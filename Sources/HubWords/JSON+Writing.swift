extension JSON {
  /// The value as text: keys sorted, so that equal values are equal bytes on every machine.
  ///
  /// - Parameter indent: spaces per level; `nil` writes one line.
  public func text(indent: Int? = nil) -> String {
    var output = ""
    write(to: &output, indent: indent, level: 0)
    return output
  }

  private func write(to output: inout String, indent: Int?, level: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .number(let value): output += value.isFinite ? "\(value)" : "null"
    case .numeral(let text): output += text
    case .string(let value): Self.write(value, to: &output)
    case .array(let elements):
      Self.write(elements, brackets: ("[", "]"), to: &output, indent: indent, level: level) { element, output in
        element.write(to: &output, indent: indent, level: level + 1)
      }
    case .object(let members):
      let sorted = members.entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      Self.write(sorted, brackets: ("{", "}"), to: &output, indent: indent, level: level) { member, output in
        Self.write(member.key, to: &output)
        output += indent == nil ? ":" : ": "
        member.value.write(to: &output, indent: indent, level: level + 1)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], brackets: (String, String), to output: inout String, indent: Int?, level: Int,
    _ body: (Element, inout String) -> Void
  ) {
    func newLine(_ level: Int) -> String { indent.map { "\n" + String(repeating: " ", count: $0 * level) } ?? "" }
    output += brackets.0
    for (index, element) in elements.enumerated() {
      if index > 0 { output += "," }
      output += newLine(level + 1)
      body(element, &output)
    }
    if !elements.isEmpty { output += newLine(level) }
    output += brackets.1
  }

  private static func write(_ string: String, to output: inout String) {
    output += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    var members = Members()
    for (key, value) in elements { members[key] = value }
    self = .object(members)
  }
}

extension JSON.Members: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self.init()
    for (key, value) in elements { self[key] = value }
  }

  /// These members, with those of `others` in place of or after them.
  public func with(_ others: JSON.Members) -> JSON.Members {
    others.entries.reduce(into: self) { $0[$1.key] = $1.value }
  }
}
