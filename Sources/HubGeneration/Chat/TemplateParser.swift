import HubWords

/// Makes statements of the parts of a template.
struct TemplateParser {
  private let parts: [TemplatePart]
  private var place = 0
  private var depth = 0

  init(_ source: String) throws {
    guard source.utf8.count <= 1 << 20 else {
      throw Failure(.excessiveTemplate, "the chat template has \(source.utf8.count) bytes")
    }
    var lexer = TemplateLexer(source)
    parts = try lexer.cut()
  }

  private func failure(_ message: String) -> Failure {
    Failure(.malformedTemplateSource, message, at: "the chat template")
  }

  mutating func parse() throws -> [TemplateNode] {
    let nodes = try nodes(until: [])
    guard place == parts.count else { throw failure("the template ends something that has not begun") }
    return nodes
  }

  /// The statements up to one that begins with one of these words, which is left.
  private mutating func nodes(until words: Set<String>) throws -> [TemplateNode] {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw failure("statements are nested more than 64 deep") }
    var nodes: [TemplateNode] = []
    while place < parts.count {
      switch parts[place] {
      case .text(let text):
        nodes.append(.text(text))
        place += 1
      case .output(let tokens):
        nodes.append(.output(try TemplateExpressionParser.whole(tokens)))
        place += 1
      case .statement(let tokens):
        guard case .name(let word)? = tokens.first else { throw failure("a statement does not begin with a word") }
        if words.contains(word) { return nodes }
        place += 1
        nodes += try statement(word, Array(tokens.dropFirst()))
      }
    }
    guard words.isEmpty else { throw failure("the template ends before \(words.sorted().joined(separator: " or "))") }
    return nodes
  }

  private mutating func statement(_ word: String, _ tokens: [TemplateToken]) throws -> [TemplateNode] {
    switch word {
    case "if": return [try choice(tokens)]
    case "for": return [try loop(tokens)]
    case "set": return [try assignment(tokens)]
    case "break": return [.stopLoop]
    case "continue": return [.continueLoop]
    case "generation":
      let body = try nodes(until: ["endgeneration"])
      place += 1
      return body
    default: throw failure("the statement \(word) is not supported")
    }
  }

  /// The word that a statement begins with, and what follows, which is then read.
  private mutating func next() -> (word: String, tokens: [TemplateToken]) {
    defer { place += 1 }
    guard case .statement(let tokens) = parts[place], case .name(let word)? = tokens.first else { return ("", []) }
    return (word, Array(tokens.dropFirst()))
  }

  private mutating func choice(_ tokens: [TemplateToken]) throws -> TemplateNode {
    var branches: [(condition: TemplateExpression?, body: [TemplateNode])] = []
    var condition: TemplateExpression? = try TemplateExpressionParser.whole(tokens)
    while true {
      let isLast = condition == nil
      branches.append((condition, try nodes(until: isLast ? ["endif"] : ["elif", "else", "endif"])))
      let end = next()
      if end.word == "endif" { return .choice(branches) }
      condition = end.word == "elif" ? try TemplateExpressionParser.whole(end.tokens) : nil
    }
  }

  private mutating func loop(_ tokens: [TemplateToken]) throws -> TemplateNode {
    var parser = TemplateExpressionParser(tokens), names = [try parser.plainName()]
    while parser.take(",") { names.append(try parser.plainName()) }
    guard parser.takeWord("in") else { throw failure("a for loop has no in") }
    let list = try parser.alternative()
    let condition = parser.takeWord("if") ? try parser.expression() : nil
    guard !parser.takeWord("recursive") else { throw failure("recursive loops are not supported") }
    try parser.end()
    let body = try nodes(until: ["else", "endfor"])
    var otherwise: [TemplateNode] = []
    if next().word == "else" {
      otherwise = try nodes(until: ["endfor"])
      place += 1
    }
    return .loop(names, in: list, where: condition, body: body, otherwise: otherwise)
  }

  private mutating func assignment(_ tokens: [TemplateToken]) throws -> TemplateNode {
    var parser = TemplateExpressionParser(tokens)
    let name = try parser.plainName()
    if parser.isAtEnd {
      let body = try nodes(until: ["endset"])
      place += 1
      return .setBlock(name, body)
    }
    let member = parser.take(".") ? try parser.plainName() : nil
    guard parser.take("=") else { throw failure("this form of set is not supported") }
    let value = try parser.expression()
    try parser.end()
    return member.map { .setMember(name, $0, value) } ?? .set(name, value)
  }
}
