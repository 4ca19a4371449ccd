import HubWords

/// A part of a template: text, an expression to be written, or a statement.
enum TemplatePart {
  case text(String)
  case output([TemplateToken])
  case statement([TemplateToken])
}

/// A word of an expression.
enum TemplateToken: Hashable {
  case name(String)
  case string(String)
  case integer(Int)
  case number(Double)
  /// An operator or a bracket.
  case symbol(String)
}

/// Cuts a template into parts, with the white space left out that `trim_blocks` and `lstrip_blocks` leave out: what
/// stands before a statement on its line, and the end of the line after it.
struct TemplateLexer {
  private let scalars: [Unicode.Scalar]
  private var place = 0
  private var parts: [TemplatePart] = []

  init(_ source: String) {
    var scalars = Array(source.replacing("\r\n", with: "\n").unicodeScalars)
    // The end of the last line is not part of a template.
    if scalars.last == "\n" { scalars.removeLast() }
    self.scalars = scalars
  }

  func failure(_ message: String) -> Failure {
    let line = scalars.prefix(place).count { $0 == "\n" } + 1
    return Failure(.malformedTemplateSource, message, at: "line \(line) of the chat template")
  }

  mutating func cut() throws -> [TemplatePart] {
    var (stripsNext, trimsLine) = (false, false)
    while place < scalars.count {
      let start = place
      while place < scalars.count, opening == nil { place += 1 }
      var text = Array(scalars[start..<place]), beginsLine = start == 0
      if stripsNext {
        text = Array(text.drop(while: \.isSpace))
      } else if trimsLine, text.first == "\n" {
        text.removeFirst()
        beginsLine = true
      }
      guard let kind = opening else {
        append(text)
        break
      }
      place += 2
      let mark = place < scalars.count ? scalars[place] : " "
      if mark == "-" {
        while text.last?.isSpace == true { text.removeLast() }
      } else if kind != "{{", mark != "+" {
        stripIndentation(&text, beginsLine: beginsLine)
      }
      append(text)
      if mark == "-" || mark == "+" { place += 1 }
      stripsNext = try part(kind)
      trimsLine = kind != "{{" && !keepsLine
    }
    return parts
  }

  private var keepsLine = false

  private var opening: String? {
    guard place + 1 < scalars.count, scalars[place] == "{" else { return nil }
    switch scalars[place + 1] {
    case "{": return "{{"
    case "%": return "{%"
    case "#": return "{#"
    default: return nil
    }
  }

  private mutating func append(_ text: [Unicode.Scalar]) {
    if !text.isEmpty { parts.append(.text(String(String.UnicodeScalarView(text)))) }
  }

  /// Takes away the white space that stands before a statement on its line, if nothing else does.
  private func stripIndentation(_ text: inout [Unicode.Scalar], beginsLine: Bool) {
    let end = text.lastIndex { $0 != " " && $0 != "\t" }
    if let end, text[end] == "\n" { text.removeSubrange((end + 1)...) }
    if end == nil, beginsLine { text = [] }
  }

  /// - Returns: whether the white space after the part is left out
  private mutating func part(_ kind: String) throws -> Bool {
    keepsLine = false
    if kind == "{#" {
      while place + 1 < scalars.count, scalars[place] != "#" || scalars[place + 1] != "}" { place += 1 }
      guard place + 1 < scalars.count else { throw failure("a comment has no end") }
      place += 2
      return place >= 3 && scalars[place - 3] == "-"
    }
    let closing: Unicode.Scalar = kind == "{{" ? "}" : "%"
    var tokens: [TemplateToken] = [], depth = 0
    while true {
      while place < scalars.count, scalars[place].isSpace { place += 1 }
      guard place < scalars.count else { throw failure("a tag has no end") }
      let sign = scalars[place] == "-" || scalars[place] == "+" ? 1 : 0
      if depth == 0, ends(at: place + sign, closing) {
        keepsLine = sign == 1 && scalars[place] == "+"
        let strips = sign == 1 && scalars[place] == "-"
        place += sign + 2
        parts.append(kind == "{{" ? .output(tokens) : .statement(tokens))
        return strips
      }
      let token = try token()
      if case .symbol(let symbol) = token {
        if ["(", "[", "{"].contains(symbol) { depth += 1 }
        if [")", "]", "}"].contains(symbol) { depth -= 1 }
      }
      tokens.append(token)
      guard tokens.count <= 10_000 else { throw failure("a tag is too long") }
    }
  }

  private func ends(at place: Int, _ closing: Unicode.Scalar) -> Bool {
    place + 1 < scalars.count && scalars[place] == closing && scalars[place + 1] == "}"
  }

  private mutating func token() throws -> TemplateToken {
    let scalar = scalars[place]
    if scalar == "'" || scalar == "\"" { return .string(try string(scalar)) }
    if scalar.isDigit { return try number() }
    if scalar.isNamePart {
      let start = place
      while place < scalars.count, scalars[place].isNamePart { place += 1 }
      return .name(String(String.UnicodeScalarView(scalars[start..<place])))
    }
    let two = String(String.UnicodeScalarView(scalars[place..<min(place + 2, scalars.count)]))
    if ["==", "!=", "<=", ">=", "//", "**"].contains(two) {
      place += 2
      return .symbol(two)
    }
    guard "+-*/%~<>=()[]{}.,:|".unicodeScalars.contains(scalar) else {
      throw failure("the character \(scalar) is not expected here")
    }
    place += 1
    return .symbol(String(Character(scalar)))
  }

  private mutating func number() throws -> TemplateToken {
    let start = place
    while place < scalars.count, scalars[place].isDigit || scalars[place] == "_" { place += 1 }
    if place + 1 < scalars.count, scalars[place] == ".", scalars[place + 1].isDigit {
      place += 1
      while place < scalars.count, scalars[place].isDigit { place += 1 }
    }
    let text = String(String.UnicodeScalarView(scalars[start..<place])).replacing("_", with: "")
    if let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw failure("\(text) is not a number") }
    return .number(value)
  }

  private mutating func string(_ quote: Unicode.Scalar) throws -> String {
    var result = String.UnicodeScalarView()
    place += 1
    while place < scalars.count, scalars[place] != quote {
      guard scalars[place] == "\\", place + 1 < scalars.count else {
        result.append(scalars[place])
        place += 1
        continue
      }
      let escape = scalars[place + 1]
      place += 2
      switch escape {
      case "n": result.append("\n")
      case "t": result.append("\t")
      case "r": result.append("\r")
      case "\\", "'", "\"": result.append(escape)
      case "x": result.append(try hexadecimal(2))
      case "u": result.append(try hexadecimal(4))
      default: result.append(contentsOf: ["\\", escape])
      }
    }
    guard place < scalars.count else { throw failure("a string has no end") }
    place += 1
    return String(result)
  }

  private mutating func hexadecimal(_ count: Int) throws -> Unicode.Scalar {
    let digits = String(String.UnicodeScalarView(scalars[place..<min(place + count, scalars.count)]))
    guard digits.unicodeScalars.count == count, !digits.hasPrefix("+"), let value = UInt32(digits, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw failure("a string has an unknown escape") }
    place += count
    return scalar
  }
}

extension Unicode.Scalar {
  /// White space as Python's `str.strip` has it.
  var isSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
  fileprivate var isDigit: Bool { (0x30...0x39).contains(value) }
  fileprivate var isNamePart: Bool { isDigit || self == "_" || properties.isAlphabetic }
}
