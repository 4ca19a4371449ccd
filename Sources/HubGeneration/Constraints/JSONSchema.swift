import HubWords

/// Schemas of JSON, as far as the texts that fulfil them are regular: objects with named members, arrays, strings,
/// numbers, enumerations, alternatives and references that do not lead back to themselves. Every text that is written
/// fulfils the schema; not every text that fulfils it is written.
struct JSONSchema {
  /// How deep schemas may be, references counted.
  static let maximalDepth = 32
  /// How deep a value may be of which a schema says nothing.
  private static let freeDepth = 3

  private let root: JSON

  init(_ root: JSON) { self.root = root }

  func pattern() throws -> Pattern { try pattern(root, at: "schema", depth: 0) }

  private func failure(_ message: String, at place: String) -> Failure {
    Failure(.malformedConstraint, message, at: place)
  }

  private func pattern(_ schema: JSON, at place: String, depth: Int) throws -> Pattern {
    guard depth < Self.maximalDepth else {
      throw failure(
        "the schema has more than \(Self.maximalDepth) levels, or a reference that leads back to itself", at: place)
    }
    if schema == .bool(true) { return Self.value(depth: Self.freeDepth) }
    let object = try JSONObject(schema, path: place)
    try checkKeywords(object)
    if let reference = try object.optionalString("$ref") {
      return try pattern(resolved(reference, at: object.path(to: "$ref")), at: reference, depth: depth + 1)
    }
    if let constant = object.members["const"] { return .text(constant.text()) }
    if let values = try object.optional("enum", "an array", { $0.array }) {
      guard !values.isEmpty else {
        throw Failure(.impossibleConstraint, "no value can meet the schema", at: object.path(to: "enum"))
      }
      return .any(of: values.map { .text($0.text()) })
    }
    if let alternatives = try object.optional("anyOf", "an array", { $0.array }) {
      return .any(
        of: try alternatives.enumerated().map {
          try pattern($1, at: "\(object.path(to: "anyOf"))[\($0)]", depth: depth + 1)
        })
    }
    let types = try object.optional("type", "a type or a list of types") { $0.string.map { [$0] } ?? $0.strings }
    guard let types = types ?? (object.members["properties"] == nil ? nil : ["object"]) else {
      return Self.value(depth: Self.freeDepth)
    }
    guard !types.isEmpty else {
      throw Failure(.impossibleConstraint, "no value can meet the schema", at: object.path(to: "type"))
    }
    return .any(of: try types.map { try pattern(ofType: $0, object, depth) })
  }

  private static let keywords: [String: Set<String>] = [
    "object": ["properties", "required", "additionalProperties"], "array": ["items", "minItems", "maxItems"],
    "string": ["minLength", "maxLength", "pattern"],
  ]
  private static let general: Set = ["type", "enum", "const", "anyOf", "$ref", "$defs", "definitions"]
  private static let remarks: Set = [
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly",
  ]

  private func checkKeywords(_ schema: JSONObject) throws {
    let known = Self.keywords.values.reduce(Self.general.union(Self.remarks)) { $0.union($1) }
    for entry in schema.members.entries where !known.contains(entry.key) {
      throw failure("the keyword \(entry.key) of schemas is not supported", at: schema.path(to: entry.key))
    }
  }

  private func resolved(_ reference: String, at place: String) throws -> JSON {
    let parts = reference.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.first == "#" else { throw failure("only references into the schema itself are supported", at: place) }
    var schema = root
    for part in parts.dropFirst() {
      guard let next = schema[part.replacing("~1", with: "/").replacing("~0", with: "~")] else {
        throw failure("there is nothing at the reference \(reference)", at: place)
      }
      schema = next
    }
    return schema
  }

  private func pattern(ofType type: String, _ schema: JSONObject, _ depth: Int) throws -> Pattern {
    switch type {
    case "null": .text("null")
    case "boolean": .any(of: [.text("true"), .text("false")])
    case "integer": Self.integer
    case "number": Self.number
    case "string": try string(schema)
    case "array": try array(schema, depth)
    case "object": try object(schema, depth)
    default: throw failure("the type \(type) is unknown", at: schema.path(to: "type"))
    }
  }
}

// MARK: - Types

extension JSONSchema {
  fileprivate static let digit = Pattern.scalars([0x30...0x39])
  /// Sixteen digits are as many as readers keep exactly.
  fileprivate static let integer = Pattern.sequence([
    .optional(.text("-")),
    .any(of: [.text("0"), .sequence([.scalars([0x31...0x39]), .repeated(digit, least: 0, most: 15)])]),
  ])
  fileprivate static let number = Pattern.sequence([
    integer, .optional(.sequence([.text("."), .repeated(digit, least: 1, most: 16)])),
    .optional(
      .sequence([
        .scalars([0x45...0x45, 0x65...0x65]), .optional(.scalars([0x2B...0x2B, 0x2D...0x2D])),
        .repeated(digit, least: 1, most: 2),
      ])),
  ])
  /// What stands in a string as it is.
  private static let plain = Pattern.complement([0...0x1F, 0x22...0x22, 0x5C...0x5C])
  private static let quote = Pattern.text("\"")

  /// One character of a string, of those in the ranges.
  private static func character(_ ranges: [ClosedRange<UInt32>]) -> Pattern {
    let escapes: [(UInt32, String)] = [(0x22, #"\""#), (0x5C, #"\\"#), (0x0A, #"\n"#), (0x09, #"\t"#), (0x0D, #"\r"#)]
    let inside = Pattern.subtract([0...0x1F, 0x22...0x22, 0x5C...0x5C], from: ranges)
    let escaped = escapes.filter { scalar, _ in ranges.contains { $0.contains(scalar) } }.map { Pattern.text($1) }
    return .any(of: [.scalars(inside)] + escaped)
  }

  fileprivate static let anyString = Pattern.sequence([
    quote, .repeated(character(Pattern.allScalars), least: 0, most: nil), quote,
  ])

  private func count(_ key: String, _ schema: JSONObject) throws -> Int? {
    guard let count = try schema.optionalInteger(key) else { return nil }
    guard count >= 0, count <= Pattern.maximalCount else {
      throw Failure(.malformedConstraint, "expected a count of up to \(Pattern.maximalCount)", at: schema.path(to: key))
    }
    return count
  }

  private func counts(_ least: String, _ most: String, _ schema: JSONObject) throws -> (least: Int, most: Int?) {
    let counts = (least: try count(least, schema) ?? 0, most: try count(most, schema))
    guard counts.most.map({ $0 >= counts.least }) ?? true else {
      throw Failure(.impossibleConstraint, "no value can meet the schema", at: schema.path(to: most))
    }
    return counts
  }

  fileprivate func string(_ schema: JSONObject) throws -> Pattern {
    let counts = try counts("minLength", "maxLength", schema)
    guard let expression = try schema.optionalString("pattern") else {
      return .sequence([
        Self.quote, .repeated(Self.character(Pattern.allScalars), least: counts.least, most: counts.most), Self.quote,
      ])
    }
    guard counts.least == 0, counts.most == nil else {
      throw Failure(.malformedConstraint, "pattern with minLength or maxLength is not supported", at: schema.path)
    }
    // A pattern of a schema may match anywhere, unless its anchors say otherwise.
    let rest = Pattern.repeated(Self.character(Pattern.allScalars), least: 0, most: nil)
    let alternatives = expression.contains("|")
    guard !alternatives || !expression.hasPrefix("^") && !expression.hasSuffix("$") || Self.isOneGroup(expression)
    else {
      throw Failure(
        .malformedConstraint, "a pattern with anchors and alternatives is not supported",
        at: schema.path(to: "pattern"),
        hint: "put the alternatives into a group: ^(a|b)$")
    }
    let inner = try locating(schema.path(to: "pattern")) { try Pattern(parsing: expression) }
    return .sequence([
      Self.quote, expression.hasPrefix("^") ? .empty : rest, Self.escaped(inner),
      expression.hasSuffix("$") && !expression.hasSuffix(#"\$"#) ? .empty : rest, Self.quote,
    ])
  }

  /// Whether all alternatives stand inside brackets.
  private static func isOneGroup(_ expression: String) -> Bool {
    var (depth, isEscaped, isClass) = (0, false, false)
    for character in expression {
      if isEscaped {
        isEscaped = false
        continue
      }
      switch character {
      case "\\": isEscaped = true
      case "[": isClass = true
      case "]": isClass = false
      case "(" where !isClass: depth += 1
      case ")" where !isClass: depth -= 1
      case "|" where depth == 0 && !isClass: return false
      default: break
      }
    }
    return true
  }

  /// The same pattern, written inside a string.
  private static func escaped(_ pattern: Pattern) -> Pattern {
    switch pattern {
    case .scalars(let ranges): character(ranges)
    case .sequence(let parts): .sequence(parts.map(escaped))
    case .any(let parts): .any(of: parts.map(escaped))
    case .repeated(let part, let least, let most): .repeated(escaped(part), least: least, most: most)
    }
  }

  private static let comma = Pattern.sequence([.text(","), .optional(.text(" "))])

  fileprivate static func list(_ item: Pattern, _ least: Int, _ most: Int?) -> Pattern {
    let following = Pattern.repeated(
      .sequence([comma, item]), least: max(0, least - 1), most: most.map { max(0, $0 - 1) })
    let items = Pattern.sequence([item, following])
    return .sequence([.text("["), most == 0 ? .empty : least > 0 ? items : .optional(items), .text("]")])
  }

  fileprivate func array(_ schema: JSONObject, _ depth: Int) throws -> Pattern {
    let counts = try counts("minItems", "maxItems", schema)
    let item = try pattern(schema.members["items"] ?? .bool(true), at: schema.path(to: "items"), depth: depth + 1)
    return Self.list(item, counts.least, counts.most)
  }

  fileprivate func object(_ schema: JSONObject, _ depth: Int) throws -> Pattern {
    guard let properties = try schema.optionalObject("properties") else {
      guard try schema.optionalStrings("required") ?? [] == [] else {
        throw Failure(.malformedConstraint, "required members need properties", at: schema.path(to: "required"))
      }
      return schema.members["additionalProperties"] == .bool(false)
        ? .text("{}") : Self.freeObject(depth: Self.freeDepth)
    }
    let required = Set(try schema.optionalStrings("required") ?? [])
    for name in required where properties.members[name] == nil {
      throw Failure(.malformedConstraint, "the required member \(name) is not among the properties", at: schema.path)
    }
    let members = try properties.members.entries.map { entry in
      let value = try pattern(entry.value, at: properties.path(to: entry.key), depth: depth + 1)
      let name = JSON.string(entry.key).text()
      return (
        pattern: Pattern.sequence([.text(name + ":"), .optional(.text(" ")), value]),
        isRequired: required.contains(entry.key)
      )
    }
    return .sequence([.text("{"), Self.members(members[...]), .text("}")])
  }

  /// Members in their order, some of which may be missing, with commas between those that are there.
  private static func members(_ members: ArraySlice<(pattern: Pattern, isRequired: Bool)>) -> Pattern {
    // From the last one on: what may follow a member, and what may stand where none has been written yet.
    var (after, fresh) = (Pattern.empty, Pattern.empty)
    for member in members.reversed() {
      let first = Pattern.sequence([member.pattern, after])
      fresh = member.isRequired ? first : .any(of: [first, fresh])
      let next = Pattern.sequence([comma, member.pattern])
      after = .sequence([member.isRequired ? next : .optional(next), after])
    }
    return fresh
  }

  /// Any value, up to a depth.
  fileprivate static func value(depth: Int) -> Pattern {
    let plain: [Pattern] = [.text("null"), .text("true"), .text("false"), number, anyString]
    return .any(of: depth == 0 ? plain : plain + [list(value(depth: depth - 1), 0, nil), freeObject(depth: depth)])
  }

  fileprivate static func freeObject(depth: Int) -> Pattern {
    let member = Pattern.sequence([anyString, .text(":"), .optional(.text(" ")), value(depth: max(0, depth - 1))])
    let members = Pattern.sequence([member, .repeated(.sequence([comma, member]), least: 0, most: nil)])
    return .sequence([.text("{"), .optional(members), .text("}")])
  }
}
