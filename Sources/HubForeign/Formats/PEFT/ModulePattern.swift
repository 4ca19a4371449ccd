import HubWords

/// A regular expression of Python, as PEFT matches it against the names of modules: literals, classes, groups,
/// alternatives and repetitions. All possibilities are followed at once, so that no expression takes more than the
/// length of the name times its own.
struct ModulePattern {
  private indirect enum Node {
    case empty
    case one((Unicode.Scalar) -> Bool)
    case start, end
    case both(Node, Node)
    case either(Node, Node)
    case repeated(Node, least: Int, most: Int?)
  }

  private enum Step {
    case one((Unicode.Scalar) -> Bool)
    case start, end
    case fork(Int, Int)
    case jump(Int)
    case matched
  }

  private var steps: [Step] = []
  private static let limit = 20_000

  /// - Throws: ``Failure`` for what is not an expression, or one of a kind that names of modules do not need.
  init(_ text: String) throws {
    guard text.unicodeScalars.count <= 4096 else {
      throw Self.unsupported("an expression of more than 4096 characters", text)
    }
    var parser = Parser(text)
    try emit(try parser.whole())
    steps.append(.matched)
  }

  /// `re.fullmatch`
  func matches(_ name: String) -> Bool {
    let scalars = Array(name.unicodeScalars)
    var current: Set<Int> = []
    add(0, to: &current, at: 0, of: scalars.count)
    for (index, scalar) in scalars.enumerated() {
      var next: Set<Int> = []
      for step in current {
        if case .one(let accepts) = steps[step], accepts(scalar) {
          add(step + 1, to: &next, at: index + 1, of: scalars.count)
        }
      }
      current = next
      if current.isEmpty { return false }
    }
    return current.contains { if case .matched = steps[$0] { true } else { false } }
  }

  private func add(_ step: Int, to set: inout Set<Int>, at place: Int, of count: Int) {
    var waiting = [step]
    while let step = waiting.popLast() {
      guard set.insert(step).inserted else { continue }
      switch steps[step] {
      case .one, .matched: break
      case .start: if place == 0 { waiting.append(step + 1) }
      case .end: if place == count { waiting.append(step + 1) }
      case .jump(let target): waiting.append(target)
      case .fork(let first, let second): waiting += [first, second]
      }
    }
  }

  private mutating func emit(_ node: Node) throws {
    guard steps.count <= Self.limit else { throw Self.unsupported("an expression that repeats too much", "") }
    switch node {
    case .empty: break
    case .one(let accepts): steps.append(.one(accepts))
    case .start: steps.append(.start)
    case .end: steps.append(.end)
    case .both(let first, let second):
      try emit(first)
      try emit(second)
    case .either(let first, let second):
      let fork = steps.count
      steps.append(.matched)
      try emit(first)
      let jump = steps.count
      steps.append(.matched)
      steps[fork] = .fork(fork + 1, steps.count)
      try emit(second)
      steps[jump] = .jump(steps.count)
    case .repeated(let part, let least, let most):
      for _ in 0..<least { try emit(part) }
      guard let most else {
        let fork = steps.count
        steps.append(.matched)
        try emit(part)
        steps.append(.jump(fork))
        steps[fork] = .fork(fork + 1, steps.count)
        return
      }
      for _ in least..<max(least, most) {
        let fork = steps.count
        steps.append(.matched)
        try emit(part)
        steps[fork] = .fork(fork + 1, steps.count)
      }
    }
  }

  private static func unsupported(_ what: String, _ text: String) -> Failure {
    Failure(.unsupportedForeignContent, "\(what) is not supported: \(text.debugDescription)")
  }

  /// Recursive descent, whose depth is bounded.
  private struct Parser {
    let text: String
    var rest: Substring.UnicodeScalarView
    var depth = 0

    init(_ text: String) {
      self.text = text
      rest = text[...].unicodeScalars
    }

    func failure() -> Failure { ModulePattern.unsupported("a regular expression of this kind", text) }

    mutating func whole() throws -> Node {
      let node = try alternatives()
      guard rest.isEmpty else { throw failure() }
      return node
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard rest.first == scalar else { return false }
      rest.removeFirst()
      return true
    }

    mutating func alternatives() throws -> Node {
      depth += 1
      guard depth <= 64 else { throw failure() }
      defer { depth -= 1 }
      var node = try sequence()
      while take("|") { node = .either(node, try sequence()) }
      return node
    }

    mutating func sequence() throws -> Node {
      var node = Node.empty
      while let next = rest.first, next != "|", next != ")" { node = .both(node, try repetition()) }
      return node
    }

    mutating func repetition() throws -> Node {
      var node = try atom()
      while let next = rest.first {
        switch next {
        case "*": node = .repeated(node, least: 0, most: nil)
        case "+": node = .repeated(node, least: 1, most: nil)
        case "?": node = .repeated(node, least: 0, most: 1)
        case "{":
          guard let (least, most) = bounds() else { throw failure() }
          node = .repeated(node, least: least, most: most)
          _ = take("?")
          continue
        default: return node
        }
        rest.removeFirst()
        // Lazy or not makes no difference to whether a name matches.
        _ = take("?")
      }
      return node
    }

    /// `{2}`, `{2,}`, `{,3}` or `{2,3}`.
    mutating func bounds() -> (Int, Int?)? {
      guard let close = rest.firstIndex(of: "}") else { return nil }
      let parts = String(rest[rest.index(after: rest.startIndex)..<close]).split(
        separator: ",", omittingEmptySubsequences: false)
      rest = rest[rest.index(after: close)...]
      guard let first = parts.first, parts.count <= 2, let least = first.isEmpty ? 0 : Int(first),
        (0...1000).contains(least)
      else { return nil }
      if parts.count == 1 { return (least, least) }
      if parts[1].isEmpty { return (least, nil) }
      guard let most = Int(parts[1]), (least...1000).contains(most) else { return nil }
      return (least, most)
    }

    mutating func atom() throws -> Node {
      guard let next = rest.popFirst() else { throw failure() }
      switch next {
      case "(":
        if take("?") {
          // Groups that are not remembered, or have a name; all else looks around.
          if take("P") {
            guard take("<"), let end = rest.firstIndex(of: ">") else { throw failure() }
            rest = rest[rest.index(after: end)...]
          } else if !take(":") {
            throw failure()
          }
        }
        let node = try alternatives()
        guard take(")") else { throw failure() }
        return node
      case "[": return try characterClass()
      case ".": return .one { $0 != "\n" }
      case "^": return .start
      case "$": return .end
      case "\\": return .one(try escape())
      case "*", "+", "?", "{", ")": throw failure()
      default: return .one { $0 == next }
      }
    }

    mutating func escape() throws -> (Unicode.Scalar) -> Bool {
      guard let next = rest.popFirst() else { throw failure() }
      let isDigit = { (scalar: Unicode.Scalar) in ("0"..."9").contains(scalar) }
      let isWord = { (scalar: Unicode.Scalar) in scalar == "_" || scalar.properties.isAlphabetic || isDigit(scalar) }
      switch next {
      case "d": return isDigit
      case "D": return { !isDigit($0) }
      case "w": return isWord
      case "W": return { !isWord($0) }
      case "s": return { $0.properties.isWhitespace }
      case "S": return { !$0.properties.isWhitespace }
      default:
        guard !isWord(next) else { throw failure() }
        return { $0 == next }
      }
    }

    mutating func characterClass() throws -> Node {
      let isNegated = take("^")
      var accepts: [(Unicode.Scalar) -> Bool] = [], isFirst = true
      while let next = rest.popFirst() {
        if next == "]", !isFirst {
          let all = accepts
          return .one { scalar in all.contains { $0(scalar) } != isNegated }
        }
        isFirst = false
        if next == "\\" {
          accepts.append(try escape())
          continue
        }
        if rest.first == "-", let last = rest.dropFirst().first, last != "]", last != "\\" {
          rest.removeFirst(2)
          guard next <= last else { throw failure() }
          accepts.append { (next...last).contains($0) }
        } else {
          accepts.append { $0 == next }
        }
      }
      throw failure()
    }
  }
}
