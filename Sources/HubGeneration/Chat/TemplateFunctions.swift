import HubWords

/// Filters, tests and the methods of strings and dictionaries, by the names that templates use. Others are refused by
/// name.
extension TemplateRun {
  mutating func filter(
    _ name: String, _ value: TemplateValue, _ given: [TemplateValue], _ named: [String: TemplateValue]
  ) throws -> TemplateValue {
    switch name {
    case "trim", "upper", "lower", "title", "capitalize", "replace":
      return try method(name == "trim" ? "strip" : name, of: .string(value.text), given, named)
    case "length", "count": return .integer(try count(value))
    case "string": return .string(value.text)
    case "safe": return value
    case "int":
      return .integer(value.integer ?? Int(value.text.filter { !$0.isWhitespace }) ?? value.number.map { Int($0) } ?? 0)
    case "list": return .list(try elements(of: value))
    case "items": return try method("items", of: value, [], [:])
    case "first": return try elements(of: value).first ?? .undefined("first needs something to choose from")
    case "last": return try elements(of: value).last ?? .undefined("last needs something to choose from")
    case "reverse": return .list(try elements(of: value).reversed())
    case "join":
      let separator = given.first?.text ?? ""
      return .string(try joined(try elements(of: value).map(\.text), separator))
    case "default", "d":
      let other = given.first ?? .string(""),
        replacesFalse = (given.dropFirst().first ?? named["boolean"])?.isTrue ?? false
      if case .undefined = value { return other }
      return replacesFalse && !value.isTrue ? other : value
    case "tojson":
      let indent = (given.first ?? named["indent"])?.integer
      return .string(try checked(value.json(indent: indent.map { min(max($0, 0), 16) })))
    case "selectattr", "rejectattr", "map": return try selected(name, value, given, named)
    default:
      throw Failure(.malformedTemplateSource, "the filter \(name) is not supported", at: "the chat template")
    }
  }

  private func count(_ value: TemplateValue) throws -> Int {
    switch value {
    case .string(let text): return text.unicodeScalars.count
    case .list(let values): return values.count
    case .dictionary(let members): return members.count
    case .undefined: return 0
    default: throw Self.failure("\(value.kind) has no length")
    }
  }

  private mutating func selected(
    _ name: String, _ value: TemplateValue, _ given: [TemplateValue], _ named: [String: TemplateValue]
  ) throws -> TemplateValue {
    func member(_ item: TemplateValue, _ name: String) -> TemplateValue {
      guard case .dictionary(let members) = item else { return .undefined(name) }
      return members.last { $0.key == name }?.value ?? .undefined(name)
    }
    let items = try elements(of: value)
    try step(items.count)
    if name == "map" {
      if let attribute = named["attribute"]?.text { return .list(items.map { member($0, attribute) }) }
      guard let inner = given.first?.text else { throw Self.failure("map needs a filter or an attribute") }
      return .list(try items.map { try filter(inner, $0, Array(given.dropFirst()), [:]) })
    }
    guard let attribute = given.first?.text else { throw Self.failure("\(name) needs an attribute") }
    let isWanted = name == "selectattr"
    return .list(
      try items.filter { item in
        let value = member(item, attribute)
        guard given.count > 1 else { return value.isTrue == isWanted }
        return try test(given[1].text, value, Array(given.dropFirst(2))) == isWanted
      })
  }

  func test(_ name: String, _ value: TemplateValue, _ given: [TemplateValue]) throws -> Bool {
    switch (name, value) {
    case ("defined", .undefined): return false
    case ("defined", _): return true
    case ("undefined", .undefined): return true
    case ("undefined", _): return false
    case ("none", .none), ("string", .string), ("mapping", .dictionary), ("boolean", .bool): return true
    case ("number", .integer), ("number", .number), ("number", .bool), ("integer", .integer), ("float", .number):
      return true
    case ("none", _), ("string", _), ("mapping", _), ("boolean", _), ("number", _), ("integer", _), ("float", _):
      return false
    case ("iterable", .list), ("iterable", .dictionary), ("iterable", .string), ("iterable", .undefined): return true
    case ("sequence", .list), ("sequence", .dictionary), ("sequence", .string), ("sequence", .undefined): return true
    case ("iterable", _), ("sequence", _): return false
    case ("true", .bool(let value)): return value
    case ("false", .bool(let value)): return !value
    case ("true", _), ("false", _): return false
    case ("odd", _), ("even", _):
      guard let number = value.integer else { throw Self.failure("\(value.kind) is not odd or even") }
      return (number % 2 == 0) == (name == "even")
    default: break
    }
    guard let other = given.first else {
      throw Failure(.malformedTemplateSource, "the test \(name) is not supported", at: "the chat template")
    }
    let symbols = [
      "eq": "==", "equalto": "==", "sameas": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "in": "in",
      "greaterthan": ">", "lessthan": "<",
    ]
    if name == "divisibleby" { return try Self.combined("%", value, other) == .integer(0) }
    guard let symbol = symbols[name] else {
      throw Failure(.malformedTemplateSource, "the test \(name) is not supported", at: "the chat template")
    }
    return try Self.combined(symbol, value, other).isTrue
  }

  mutating func method(
    _ name: String, of object: TemplateValue, _ given: [TemplateValue], _ named: [String: TemplateValue]
  ) throws -> TemplateValue {
    switch object {
    case .string(let text): return try stringMethod(name, text, given)
    case .dictionary(let members):
      switch name {
      case "items": return .list(members.map { .list([.string($0.key), $0.value]) })
      case "keys": return .list(members.map { .string($0.key) })
      case "values": return .list(members.map(\.value))
      case "get":
        guard let key = given.first?.text else { throw Self.failure("get needs a key") }
        return members.last { $0.key == key }?.value ?? given.dropFirst().first ?? .none
      default: break
      }
    case .undefined(let what): throw Self.failure("\(what) is undefined, and has no \(name)")
    default: break
    }
    throw Failure(
      .malformedTemplateSource, "the method \(name) of \(object.kind) is not supported", at: "the chat template")
  }

  private mutating func stringMethod(_ name: String, _ text: String, _ given: [TemplateValue]) throws -> TemplateValue {
    try step(1 + text.utf8.count / 256)
    func argument(_ index: Int) throws -> String {
      guard given.indices.contains(index), case .string(let argument) = given[index] else {
        throw Self.failure("\(name) needs a string")
      }
      return argument
    }
    switch name {
    case "strip", "lstrip", "rstrip":
      let set = given.isEmpty ? nil : Set(try argument(0).unicodeScalars)
      return .string(Self.stripped(text, set, start: name != "rstrip", end: name != "lstrip"))
    case "upper": return .string(text.uppercased())
    case "lower": return .string(text.lowercased())
    case "capitalize": return .string(text.prefix(1).uppercased() + text.dropFirst().lowercased())
    case "title": return .string(Self.titled(text))
    case "startswith": return .bool(text.utf8.starts(with: try argument(0).utf8))
    case "endswith": return .bool(text.utf8.reversed().starts(with: try argument(0).utf8.reversed()))
    case "replace":
      let (old, new) = (try argument(0), try argument(1))
      let most = given.dropFirst(2).first?.integer
      return .string(try replaced(text, old, new, most: most ?? -1))
    case "split": return .list(try split(text, given))
    case "join":
      return .string(try joined(try elements(of: given.first ?? .list([])).map(\.text), text))
    case "count": return .integer(Self.pieces(text, try argument(0), most: -1).count - 1)
    case "find":
      guard let range = text.utf8.firstRange(of: try argument(0).utf8) else { return .integer(-1) }
      return .integer(String(decoding: Array(text.utf8)[..<range.lowerBound], as: UTF8.self).unicodeScalars.count)
    default:
      throw Failure(.malformedTemplateSource, "the method \(name) of strings is not supported", at: "the chat template")
    }
  }

  private static func stripped(_ text: String, _ set: Set<Unicode.Scalar>?, start: Bool, end: Bool) -> String {
    var scalars = Array(text.unicodeScalars)[...]
    func goes(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? scalar.isSpace }
    while start, let first = scalars.first, goes(first) { scalars.removeFirst() }
    while end, let last = scalars.last, goes(last) { scalars.removeLast() }
    return String(String.UnicodeScalarView(scalars))
  }

  /// Every word with a capital, as `str.title` does.
  private static func titled(_ text: String) -> String {
    var result = "", isInside = false
    for scalar in text.unicodeScalars {
      let isLetter = scalar.properties.isAlphabetic
      result +=
        isLetter ? (isInside ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping) : String(scalar)
      isInside = isLetter
    }
    return result
  }

  /// The text between the places where another stands.
  private static func pieces(_ text: String, _ separator: String, most: Int) -> [String] {
    let (bytes, part) = (Array(text.utf8), Array(separator.utf8))
    var pieces: [String] = [], start = 0, place = 0
    while place + part.count <= bytes.count, !part.isEmpty, most < 0 || pieces.count < most {
      if bytes[place] == part[0], bytes[place..<place + part.count].elementsEqual(part) {
        pieces.append(String(decoding: bytes[start..<place], as: UTF8.self))
        place += part.count
        start = place
      } else {
        place += 1
      }
    }
    return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
  }

  private mutating func replaced(_ text: String, _ old: String, _ new: String, most: Int) throws -> String {
    guard !old.isEmpty else { throw Self.failure("replace needs something to replace") }
    let pieces = Self.pieces(text, old, most: most)
    let count = text.utf8.count + (pieces.count - 1) * new.utf8.count
    guard count <= Self.maximalBytes else {
      throw Failure(.excessiveTemplate, "the chat template makes more than \(Self.maximalBytes) bytes of text")
    }
    try step(pieces.count + count / 256)
    return pieces.joined(separator: new)
  }

  private mutating func split(_ text: String, _ given: [TemplateValue]) throws -> [TemplateValue] {
    let most = given.dropFirst().first?.integer ?? -1
    guard case .string(let separator)? = given.first else {
      let words = text.unicodeScalars.split(whereSeparator: \.isSpace)
      try step(words.count)
      return words.map { .string(String(String.UnicodeScalarView($0))) }
    }
    guard !separator.isEmpty else { throw Self.failure("split needs something to split at") }
    let pieces = Self.pieces(text, separator, most: most)
    try step(pieces.count)
    return pieces.map { .string($0) }
  }
}
