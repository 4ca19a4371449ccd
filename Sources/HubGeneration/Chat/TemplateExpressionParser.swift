import HubWords

/// A recursive descent through the words of an expression, in Jinja's order of precedence.
struct TemplateExpressionParser {
  private let tokens: [TemplateToken]
  private var place = 0
  private var depth = 0

  init(_ tokens: [TemplateToken]) { self.tokens = tokens }

  /// The expression that the words are as a whole.
  static func whole(_ tokens: [TemplateToken]) throws -> TemplateExpression {
    var parser = TemplateExpressionParser(tokens)
    let expression = try parser.expression()
    try parser.end()
    return expression
  }

  var isAtEnd: Bool { place == tokens.count }

  private var unexpected: Failure {
    let word: String =
      switch place < tokens.count ? tokens[place] : .symbol("the end") {
      case .name(let text), .symbol(let text), .string(let text): text
      case .integer(let value): String(value)
      case .number(let value): String(value)
      }
    return Failure(.malformedTemplateSource, "\(word.debugDescription) is not expected here", at: "the chat template")
  }

  func end() throws { if !isAtEnd { throw unexpected } }

  mutating func take(_ symbol: String) -> Bool { takeToken(.symbol(symbol)) }
  mutating func takeWord(_ word: String) -> Bool { takeToken(.name(word)) }

  private mutating func takeToken(_ token: TemplateToken) -> Bool {
    guard place < tokens.count, tokens[place] == token else { return false }
    place += 1
    return true
  }

  private mutating func require(_ symbol: String) throws { if !take(symbol) { throw unexpected } }

  private static let reserved: Set = [
    "and", "or", "not", "in", "is", "if", "else", "elif", "for", "true", "false", "none", "True", "False", "None",
  ]

  mutating func plainName() throws -> String {
    guard place < tokens.count, case .name(let name) = tokens[place], !Self.reserved.contains(name) else {
      throw unexpected
    }
    place += 1
    return name
  }

  // MARK: Precedence

  mutating func expression() throws -> TemplateExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else {
      throw Failure(.malformedTemplateSource, "an expression has more than 64 levels", at: "the chat template")
    }
    var value = try alternative()
    while takeWord("if") {
      let condition = try alternative()
      let other = takeWord("else") ? try expression() : nil
      value = .choice(value, if: condition, else: other)
    }
    return value
  }

  /// Without a condition after it: what a `for` goes through.
  mutating func alternative() throws -> TemplateExpression {
    var value = try conjunction()
    while takeWord("or") { value = .binary("or", value, try conjunction()) }
    return value
  }

  private mutating func conjunction() throws -> TemplateExpression {
    var value = try negation()
    while takeWord("and") { value = .binary("and", value, try negation()) }
    return value
  }

  private mutating func negation() throws -> TemplateExpression {
    var count = 0
    while takeWord("not") { count += 1 }
    let value = try comparison()
    return count == 0 ? value : count % 2 == 1 ? .unary("not", value) : .unary("not", .unary("not", value))
  }

  private mutating func comparison() throws -> TemplateExpression {
    var value = try sum()
    var last: TemplateExpression?
    while true {
      guard let symbol = comparisonSymbol() else { return value }
      let right = try sum()
      // a < b < c means both.
      let compared = TemplateExpression.binary(symbol, last ?? value, right)
      value = last == nil ? compared : .binary("and", value, compared)
      last = right
    }
  }

  private mutating func comparisonSymbol() -> String? {
    for symbol in ["==", "!=", "<=", ">=", "<", ">"] where take(symbol) { return symbol }
    if takeWord("in") { return "in" }
    if place + 1 < tokens.count, tokens[place] == .name("not"), tokens[place + 1] == .name("in") {
      place += 2
      return "not in"
    }
    return nil
  }

  private mutating func sum() throws -> TemplateExpression {
    var value = try concatenation()
    while true {
      if take("+") {
        value = .binary("+", value, try concatenation())
      } else if take("-") {
        value = .binary("-", value, try concatenation())
      } else {
        return value
      }
    }
  }

  private mutating func concatenation() throws -> TemplateExpression {
    var value = try product()
    while take("~") { value = .binary("~", value, try product()) }
    return value
  }

  private mutating func product() throws -> TemplateExpression {
    var value = try signed()
    while let symbol = ["*", "//", "/", "%"].first(where: { take($0) }) { value = .binary(symbol, value, try signed()) }
    return value
  }

  private mutating func signed() throws -> TemplateExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw unexpected }
    if take("-") { return .unary("-", try signed()) }
    if take("+") { return try signed() }
    return try filtered(try followed(try primary()))
  }

  // MARK: Parts

  private mutating func primary() throws -> TemplateExpression {
    guard place < tokens.count else { throw unexpected }
    switch tokens[place] {
    case .string:
      // Strings that stand side by side are one.
      var text = ""
      while place < tokens.count, case .string(let part) = tokens[place] {
        text += part
        place += 1
      }
      return .value(.string(text))
    case .integer(let value):
      place += 1
      return .value(.integer(value))
    case .number(let value):
      place += 1
      return .value(.number(value))
    case .name(let name): return try word(name)
    case .symbol("("): return try bracketed()
    case .symbol("["):
      place += 1
      return .list(try elements(until: "]"))
    case .symbol("{"): return try dictionary()
    case .symbol: throw unexpected
    }
  }

  private mutating func word(_ name: String) throws -> TemplateExpression {
    switch name {
    case "true", "True": place += 1
    case "false", "False": place += 1
    case "none", "None": place += 1
    default: return .name(try plainName())
    }
    return .value(name.lowercased() == "none" ? .none : .bool(name.lowercased() == "true"))
  }

  private mutating func bracketed() throws -> TemplateExpression {
    place += 1
    if take(")") { return .list([]) }
    let first = try expression()
    if take(")") { return first }
    try require(",")
    return .list([first] + (try elements(until: ")")))
  }

  private mutating func elements(until close: String) throws -> [TemplateExpression] {
    var elements: [TemplateExpression] = []
    while !take(close) {
      elements.append(try expression())
      if take(close) { break }
      try require(",")
    }
    return elements
  }

  private mutating func dictionary() throws -> TemplateExpression {
    place += 1
    var members: [(TemplateExpression, TemplateExpression)] = []
    while !take("}") {
      let key = try expression()
      try require(":")
      members.append((key, try expression()))
      if take("}") { break }
      try require(",")
    }
    return .dictionary(members)
  }

  /// Members, elements and calls after a value.
  private mutating func followed(_ start: TemplateExpression) throws -> TemplateExpression {
    var value = start
    while true {
      if take(".") {
        if place < tokens.count, case .integer(let index) = tokens[place] {
          place += 1
          value = .element(value, .value(.integer(index)))
        } else {
          guard place < tokens.count, case .name(let name) = tokens[place] else { throw unexpected }
          place += 1
          value = .member(value, name)
        }
      } else if take("[") {
        value = try subscripted(value)
      } else if take("(") {
        value = .call(value, try arguments())
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: TemplateExpression) throws -> TemplateExpression {
    func bound(_ parser: inout TemplateExpressionParser) throws -> TemplateExpression? {
      guard parser.place < parser.tokens.count, ![.symbol(":"), .symbol("]")].contains(parser.tokens[parser.place])
      else {
        return nil
      }
      return try parser.expression()
    }
    let first = try bound(&self)
    if let first, take("]") { return .element(value, first) }
    try require(":")
    let last = try bound(&self)
    let step = take(":") ? try bound(&self) : nil
    try require("]")
    return .slice(value, first, last, step)
  }

  private mutating func arguments() throws -> TemplateArguments {
    var arguments = TemplateArguments()
    while !take(")") {
      if place + 1 < tokens.count, case .name(let name) = tokens[place], tokens[place + 1] == .symbol("=") {
        place += 2
        arguments.named.append((name, try expression()))
      } else {
        arguments.values.append(try expression())
      }
      if take(")") { break }
      try require(",")
    }
    return arguments
  }

  /// Filters and tests after a value.
  private mutating func filtered(_ start: TemplateExpression) throws -> TemplateExpression {
    var value = start
    while true {
      if take("|") {
        let name = try plainName()
        value = try followed(.filter(value, name, take("(") ? try arguments() : TemplateArguments()))
      } else if takeWord("is") {
        let isNegated = takeWord("not")
        guard place < tokens.count, case .name(let name) = tokens[place] else { throw unexpected }
        place += 1
        value = .test(value, name, try testArguments(), isNegated: isNegated)
      } else {
        return value
      }
    }
  }

  private mutating func testArguments() throws -> [TemplateExpression] {
    if take("(") { return try arguments().values }
    guard place < tokens.count else { return [] }
    switch tokens[place] {
    case .string, .integer, .number: return [try followed(try primary())]
    case .name(let name) where !Self.reserved.contains(name): return [try followed(try primary())]
    default: return []
    }
  }
}
