extension Composition {
  /// Reads a composition. The grammar:
  ///
  ///     composition = reference | block "(" argument { "," argument } ")"
  ///     argument    = composition | option "=" value
  ///     block       = "stack" | "fuse"
  ///
  /// What may nest in what follows the Python library: a stack holds adapters and fusions, a fusion holds adapters
  /// and stacks.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/malformedComposition`` or ``Failure/Code/forbiddenNesting``; its
  ///   subject shows the text with a caret where it goes wrong.
  public init(_ text: String) throws {
    guard text.utf8.count <= 64 * 1024 else {
      throw Failure(.malformedComposition, "a composition has at most 64 KiB")
    }
    var parser = CompositionParser(text)
    self = try parser.whole()
  }
}

private struct CompositionParser {
  private let characters: [Character]
  private var position = 0

  init(_ text: String) { characters = Array(text) }

  func failure(_ code: Failure.Code, _ message: String, at place: Int, hint: String? = nil) -> Failure {
    let line = String(characters.map { $0.isNewline ? " " : $0 })
    return Failure(code, message, at: "\(line)\n\(String(repeating: " ", count: place))^", hint: hint)
  }

  mutating func skipSpace() {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
  }

  mutating func consume(_ character: Character) -> Bool {
    skipSpace()
    guard position < characters.count, characters[position] == character else { return false }
    position += 1
    return true
  }

  mutating func whole() throws -> Composition {
    let (composition, _) = try composition(depth: 0)
    skipSpace()
    guard position == characters.count else {
      throw failure(.malformedComposition, "unexpected text after the composition", at: position)
    }
    return composition
  }

  /// A word: everything up to white space, a bracket, a comma or an equals sign.
  mutating func word() throws -> String {
    skipSpace()
    let start = position
    while position < characters.count, !characters[position].isWhitespace, !"(),=".contains(characters[position]) { position += 1 }
    guard position > start else { throw failure(.malformedComposition, "expected the name of an adapter or a block", at: position) }
    return String(characters[start..<position])
  }

  mutating func composition(depth: Int) throws -> (Composition, start: Int) {
    skipSpace()
    let start = position
    let word = try word()
    guard consume("(") else { return (.adapter(word), start) }
    guard depth < 4 else { throw failure(.forbiddenNesting, "the composition is nested too deep", at: start) }
    switch word.lowercased() {
    case "stack":
      let children = try arguments(depth: depth, options: []).children
      for (child, place) in children {
        if case .stack = child {
          throw failure(.forbiddenNesting, "a stack cannot stand in a stack", at: place, hint: "list its adapters in the outer stack")
        }
      }
      return (.stack(children.map(\.0)), start)
    case "fuse":
      let (children, options) = try arguments(depth: depth, options: ["name"])
      for (child, place) in children {
        if case .fuse = child { throw failure(.forbiddenNesting, "a fusion holds adapters and stacks, not fusions", at: place) }
      }
      return (.fuse(children.map(\.0), name: options["name"]), start)
    default:
      throw failure(.malformedComposition, "there is no block called \(word.debugDescription)", at: start, hint: "blocks are stack(…) and fuse(…)")
    }
  }

  mutating func arguments(depth: Int, options known: Set<String>) throws -> (children: [(Composition, Int)], options: [String: String]) {
    var children: [(Composition, Int)] = []
    var options: [String: String] = [:]
    repeat {
      let (child, start) = try composition(depth: depth + 1)
      guard consume("=") else {
        children.append((child, start))
        continue
      }
      guard case .adapter(let option) = child, known.contains(option) else {
        throw failure(.malformedComposition, "the block has no option of this name", at: start)
      }
      guard options.updateValue(try word(), forKey: option) == nil else {
        throw failure(.malformedComposition, "the option is given twice", at: start)
      }
    } while consume(",")
    guard consume(")") else { throw failure(.malformedComposition, "expected ',' or ')'", at: position) }
    guard !children.isEmpty else { throw failure(.malformedComposition, "a block needs at least one adapter", at: position - 1) }
    return (children, options)
  }
}
