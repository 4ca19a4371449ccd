public import HubWords

/// A value of a template: Python's, as far as chat templates have them.
enum TemplateValue: Sendable {
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([TemplateValue])
  case dictionary([(key: String, value: TemplateValue)])
  /// What `namespace()` makes: the number of an object that `set` may change.
  case namespace(Int)

  init(_ json: JSON) {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .numeral(let text): self = .number(Double(text) ?? .nan)
    case .string(let text): self = .string(text)
    case .array(let values): self = .list(values.map(TemplateValue.init))
    case .object(let members): self = .dictionary(members.entries.map { ($0.key, TemplateValue($0.value)) })
    }
  }

  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .number(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let values): !values.isEmpty
    case .dictionary(let members): !members.isEmpty
    case .namespace: true
    }
  }

  var number: Double? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  var integer: Int? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .integer(let value): value
    default: nil
    }
  }

  /// What Python calls the type.
  var kind: String {
    switch self {
    case .undefined(let name): "undefined (\(name))"
    case .none: "None"
    case .bool: "a truth value"
    case .integer, .number: "a number"
    case .string: "a string"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .namespace: "a namespace"
    }
  }

  /// What stands in the output.
  var text: String {
    switch self {
    case .undefined: ""
    case .string(let text): text
    default: representation
    }
  }

  /// What stands for the value inside of a list: Python's `repr`.
  var representation: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "None"
    case .bool(let value): value ? "True" : "False"
    case .integer(let value): String(value)
    case .number(let value): "\(value)"
    case .string(let text): Self.quoted(text)
    case .list(let values): "[" + values.map(\.representation).joined(separator: ", ") + "]"
    case .dictionary(let members):
      "{" + members.map { "\(Self.quoted($0.key)): \($0.value.representation)" }.joined(separator: ", ") + "}"
    case .namespace: "<Namespace>"
    }
  }

  private static func quoted(_ text: String) -> String {
    let quote: Character = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var result = String(quote)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "'" where quote == "'": result += "\\'"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + String(quote)
  }

  /// JSON as `json.dumps` writes it without escaping what is not ASCII.
  func json(indent: Int? = nil, level: Int = 0) throws -> String {
    func block(_ open: String, _ close: String, _ parts: [String]) -> String {
      guard !parts.isEmpty else { return open + close }
      guard let indent else { return open + parts.joined(separator: ", ") + close }
      let inner = "\n" + String(repeating: " ", count: indent * (level + 1))
      return open + inner + parts.joined(separator: "," + inner) + "\n" + String(repeating: " ", count: indent * level)
        + close
    }
    switch self {
    case .none: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer, .number: return representation
    case .string(let text): return JSON.string(text).text()
    case .list(let values): return block("[", "]", try values.map { try $0.json(indent: indent, level: level + 1) })
    case .dictionary(let members):
      return block(
        "{", "}",
        try members.map { try JSON.string($0.key).text() + ": " + $0.value.json(indent: indent, level: level + 1) })
    case .undefined, .namespace:
      throw Failure(.templateValue, "\(kind) cannot be written as JSON")
    }
  }
}

extension TemplateValue: Equatable {
  static func == (first: TemplateValue, second: TemplateValue) -> Bool {
    if let first = first.number, let second = second.number { return first == second }
    switch (first, second) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let first), .string(let second)): return first.utf8.elementsEqual(second.utf8)
    case (.list(let first), .list(let second)): return first == second
    case (.dictionary(let first), .dictionary(let second)):
      return first.count == second.count
        && first.allSatisfy { member in second.contains { $0.key == member.key && $0.value == member.value } }
    case (.namespace(let first), .namespace(let second)): return first == second
    default: return false
    }
  }
}

extension Failure.Code {
  /// A chat template is not what Jinja says, or uses what we do not have.
  public static let malformedTemplateSource = Self("chat/template", .badData)
  /// A chat template does something that its values do not allow.
  public static let templateValue = Self("chat/value", .badData)
  /// A chat template runs too long, or writes too much.
  public static let excessiveTemplate = Self("chat/limit", .badData)
  /// A chat template refuses the messages that it was given.
  public static let refusedMessages = Self("chat/refused", .usage)
}
