import HubWords

/// Runs a template: bounded in steps and in what it writes.
struct TemplateRun {
  /// The most steps: statements and parts of expressions.
  static let maximalSteps = 2_000_000
  /// The most bytes of the output, or of a string on the way to it.
  static let maximalBytes = 8 << 20

  /// Variables, those of the innermost block last.
  private var scopes: [[String: TemplateValue]]
  private var namespaces: [[String: TemplateValue]] = []
  private var steps = 0
  private var depth = 0
  private(set) var output = ""

  init(_ variables: [String: TemplateValue]) { scopes = [variables] }

  static func failure(_ message: String) -> Failure { Failure(.templateValue, message, at: "the chat template") }

  mutating func step(_ count: Int = 1) throws {
    steps += count
    guard steps <= Self.maximalSteps else {
      throw Failure(.excessiveTemplate, "the chat template takes more than \(Self.maximalSteps) steps")
    }
  }

  /// Counts everything that a new value is made of, so that values that hold others twice do not grow beyond all
  /// measure.
  private mutating func weighed(_ value: TemplateValue) throws -> TemplateValue {
    try weigh(value, depth: 0)
    return value
  }

  private mutating func weigh(_ value: TemplateValue, depth: Int) throws {
    guard depth <= 100 else { throw Failure(.excessiveTemplate, "a value of the chat template is more than 100 deep") }
    try step()
    switch value {
    case .string(let text): try step(text.utf8.count / 256)
    case .list(let values): for value in values { try weigh(value, depth: depth + 1) }
    case .dictionary(let members): for member in members { try weigh(member.value, depth: depth + 1) }
    default: break
    }
  }

  /// Joins texts, if the result is not too long.
  func joined(_ texts: [String], _ separator: String) throws -> String {
    let bytes = texts.reduce(texts.count * separator.utf8.count) { $0 + $1.utf8.count }
    guard bytes <= Self.maximalBytes else {
      throw Failure(.excessiveTemplate, "the chat template makes more than \(Self.maximalBytes) bytes of text")
    }
    return texts.joined(separator: separator)
  }

  func checked(_ text: String) throws -> String {
    guard text.utf8.count <= Self.maximalBytes else {
      throw Failure(.excessiveTemplate, "the chat template makes more than \(Self.maximalBytes) bytes of text")
    }
    return text
  }

  // MARK: Statements

  /// How a body ends.
  private enum Ending { case normal, stopLoop, continueLoop }

  mutating func run(_ nodes: [TemplateNode]) throws { _ = try body(nodes) }

  private mutating func body(_ nodes: [TemplateNode]) throws -> Ending {
    for node in nodes {
      try step()
      let ending = try statement(node)
      if ending != .normal { return ending }
    }
    return .normal
  }

  private mutating func write(_ text: String) throws {
    output += text
    _ = try checked(output)
  }

  private mutating func statement(_ node: TemplateNode) throws -> Ending {
    switch node {
    case .text(let text): try write(text)
    case .output(let expression): try write(try value(expression).text)
    case .choice(let branches):
      for branch in branches {
        guard let condition = branch.condition else { return try body(branch.body) }
        if try value(condition).isTrue { return try body(branch.body) }
      }
    case .loop(let names, let list, let condition, let body, let otherwise):
      return try loop(names, list, condition, body, otherwise)
    case .set(let name, let expression): scopes[scopes.count - 1][name] = try value(expression)
    case .setMember(let name, let member, let expression):
      guard case .namespace(let number) = variable(name) else {
        throw Self.failure("\(name) is not a namespace, and its members cannot be set")
      }
      namespaces[number][member] = try value(expression)
    case .setBlock(let name, let nodes):
      let before = output
      output = ""
      _ = try body(nodes)
      scopes[scopes.count - 1][name] = .string(output)
      output = before
    case .stopLoop: return .stopLoop
    case .continueLoop: return .continueLoop
    }
    return .normal
  }

  private mutating func loop(
    _ names: [String], _ list: TemplateExpression, _ condition: TemplateExpression?, _ nodes: [TemplateNode],
    _ otherwise: [TemplateNode]
  ) throws -> Ending {
    var items = try elements(of: value(list))
    scopes.append([:])
    defer { scopes.removeLast() }
    if let condition {
      var kept: [TemplateValue] = []
      for item in items {
        try bind(names, item)
        if try value(condition).isTrue { kept.append(item) }
      }
      items = kept
    }
    if items.isEmpty { return try body(otherwise) }
    for (index, item) in items.enumerated() {
      try step()
      scopes[scopes.count - 1] = [:]
      try bind(names, item)
      scopes[scopes.count - 1]["loop"] = Self.state(index, items)
      let ending = try body(nodes)
      if ending == .stopLoop { break }
    }
    return .normal
  }

  private mutating func bind(_ names: [String], _ item: TemplateValue) throws {
    if names.count == 1 {
      scopes[scopes.count - 1][names[0]] = item
      return
    }
    guard case .list(let values) = item, values.count == names.count else {
      throw Self.failure("\(item.kind) cannot be taken apart into \(names.count) values")
    }
    for (name, value) in zip(names, values) { scopes[scopes.count - 1][name] = value }
  }

  /// What `loop` is.
  private static func state(_ index: Int, _ items: [TemplateValue]) -> TemplateValue {
    let count = items.count
    return .dictionary([
      ("index", .integer(index + 1)), ("index0", .integer(index)), ("revindex", .integer(count - index)),
      ("revindex0", .integer(count - index - 1)), ("first", .bool(index == 0)), ("last", .bool(index == count - 1)),
      ("length", .integer(count)), ("previtem", index > 0 ? items[index - 1] : .undefined("previtem")),
      ("nextitem", index + 1 < count ? items[index + 1] : .undefined("nextitem")),
    ])
  }

  // MARK: Values

  private func variable(_ name: String) -> TemplateValue {
    for scope in scopes.reversed() { if let value = scope[name] { return value } }
    return .undefined(name)
  }

  /// What a loop goes through.
  func elements(of value: TemplateValue) throws -> [TemplateValue] {
    switch value {
    case .list(let values): return values
    case .dictionary(let members): return members.map { .string($0.key) }
    case .string(let text): return text.unicodeScalars.map { .string(String($0)) }
    case .undefined: return []
    default: throw Self.failure("\(value.kind) has no elements")
    }
  }

  mutating func value(_ expression: TemplateExpression) throws -> TemplateValue {
    try step()
    depth += 1
    defer { depth -= 1 }
    guard depth <= 200 else { throw Failure(.excessiveTemplate, "the chat template goes too deep") }
    switch expression {
    case .value(let value): return value
    case .name(let name): return variable(name)
    case .list(let elements): return try weighed(.list(elements.map { try value($0) }))
    case .dictionary(let members): return try weighed(dictionary(members))
    case .unary(let symbol, let operand): return try unary(symbol, value(operand))
    case .binary(let symbol, let left, let right): return try binary(symbol, left, right)
    case .choice(let first, let condition, let other):
      if try value(condition).isTrue { return try value(first) }
      return try other.map { try value($0) } ?? .undefined("the other case")
    case .member(let object, let name): return try member(value(object), name)
    case .element(let object, let index): return try element(value(object), value(index))
    case .slice(let object, let first, let last, let step):
      return try slice(
        value(object), first.map { try value($0) }, last.map { try value($0) }, step.map { try value($0) })
    case .call(let callee, let arguments): return try call(callee, arguments)
    case .filter(let operand, let name, let arguments):
      let (given, named) = try evaluated(arguments), operand = try value(operand)
      return try filter(name, operand, given, named)
    case .test(let operand, let name, let arguments, let isNegated):
      let given = try arguments.map { try value($0) }
      return .bool(try test(name, value(operand), given) != isNegated)
    }
  }

  private mutating func dictionary(_ members: [(TemplateExpression, TemplateExpression)]) throws -> TemplateValue {
    .dictionary(
      try members.map { key, element in
        guard case .string(let name) = try value(key) else { throw Self.failure("a key is not a string") }
        return (name, try value(element))
      })
  }

  private mutating func evaluated(
    _ arguments: TemplateArguments
  ) throws -> (values: [TemplateValue], named: [String: TemplateValue]) {
    let values = try arguments.values.map { try value($0) }
    var named: [String: TemplateValue] = [:]
    for argument in arguments.named { named[argument.name] = try value(argument.value) }
    return (values, named)
  }

  private func unary(_ symbol: String, _ operand: TemplateValue) throws -> TemplateValue {
    if symbol == "not" { return .bool(!operand.isTrue) }
    if let value = operand.integer { return .integer(0 &- value) }
    guard let value = operand.number else { throw Self.failure("\(operand.kind) cannot be negated") }
    return .number(-value)
  }

  private mutating func binary(
    _ symbol: String, _ left: TemplateExpression, _ right: TemplateExpression
  ) throws -> TemplateValue {
    let first = try value(left)
    if symbol == "and" { return first.isTrue ? try value(right) : first }
    if symbol == "or" { return first.isTrue ? first : try value(right) }
    let result = try Self.combined(symbol, first, value(right))
    if case .string(let text) = result {
      // Copying text costs as much as many steps.
      try step(text.utf8.count / 256)
      _ = try checked(text)
    }
    if case .list = result { return try weighed(result) }
    return result
  }

  private func member(_ object: TemplateValue, _ name: String) throws -> TemplateValue {
    switch object {
    case .dictionary(let members): return members.last { $0.key == name }?.value ?? .undefined(name)
    case .namespace(let number): return namespaces[number][name] ?? .undefined(name)
    case .undefined(let what): throw Self.failure("\(what) is undefined, and has no \(name)")
    default: return .undefined(name)
    }
  }

  private func element(_ object: TemplateValue, _ index: TemplateValue) throws -> TemplateValue {
    if case .string(let name) = index { return try member(object, name) }
    guard let index = index.integer else { throw Self.failure("\(index.kind) is not an index") }
    func place(_ count: Int) -> Int? {
      let place = index < 0 ? index + count : index
      return (0..<count).contains(place) ? place : nil
    }
    switch object {
    case .list(let values): return place(values.count).map { values[$0] } ?? .undefined("element \(index)")
    case .string(let text):
      let scalars = Array(text.unicodeScalars)
      return place(scalars.count).map { .string(String(scalars[$0])) } ?? .undefined("element \(index)")
    case .undefined(let what): throw Self.failure("\(what) is undefined, and has no element \(index)")
    default: return .undefined("element \(index)")
    }
  }

  private func slice(
    _ object: TemplateValue, _ first: TemplateValue?, _ last: TemplateValue?, _ step: TemplateValue?
  ) throws -> TemplateValue {
    func bound(_ value: TemplateValue?) throws -> Int? {
      guard let value, value != .none else { return nil }
      guard let bound = value.integer else { throw Self.failure("\(value.kind) is not an index") }
      return bound
    }
    func cut<Element>(_ elements: [Element]) throws -> [Element] {
      let count = elements.count, step = try bound(step) ?? 1
      guard step != 0 else { throw Self.failure("a slice cannot have a step of 0") }
      func place(_ value: Int, _ least: Int, _ most: Int) -> Int {
        min(max(value < 0 ? value + count : value, least), most)
      }
      let isForward = step > 0
      let start = try bound(first).map { isForward ? place($0, 0, count) : place($0, -1, count - 1) }
      let end = try bound(last).map { isForward ? place($0, 0, count) : place($0, -1, count - 1) }
      return stride(from: start ?? (isForward ? 0 : count - 1), to: end ?? (isForward ? count : -1), by: step).map {
        elements[$0]
      }
    }
    switch object {
    case .list(let values): return .list(try cut(values))
    case .string(let text): return .string(String(String.UnicodeScalarView(try cut(Array(text.unicodeScalars)))))
    default: throw Self.failure("\(object.kind) cannot be sliced")
    }
  }

  // MARK: Calls

  private mutating func call(_ callee: TemplateExpression, _ arguments: TemplateArguments) throws -> TemplateValue {
    let (given, named) = try evaluated(arguments)
    if case .member(let object, let name) = callee {
      let object = try value(object)
      return try method(name, of: object, given, named)
    }
    guard case .name(let name) = callee else {
      throw Self.failure("the template calls something that is not a function")
    }
    switch name {
    case "raise_exception":
      throw Failure(.refusedMessages, "the chat template refuses the messages: \(given.first?.text ?? "")")
    case "namespace":
      guard namespaces.count < 1000 else {
        throw Failure(.excessiveTemplate, "the chat template makes too many namespaces")
      }
      namespaces.append(named)
      return .namespace(namespaces.count - 1)
    case "range": return try range(given)
    case "dict": return try weighed(.dictionary(named.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    default:
      throw Failure(.malformedTemplateSource, "the function \(name) is not supported", at: "the chat template")
    }
  }

  private mutating func range(_ given: [TemplateValue]) throws -> TemplateValue {
    let numbers = given.compactMap(\.integer)
    guard numbers.count == given.count, (1...3).contains(numbers.count) else {
      throw Self.failure("range needs integers")
    }
    let first = numbers.count > 1 ? numbers[0] : 0, last = numbers.count > 1 ? numbers[1] : numbers[0]
    let by = numbers.count > 2 ? numbers[2] : 1
    guard by != 0, abs(first) < 1 << 40, abs(last) < 1 << 40 else {
      throw Self.failure("range has impossible numbers")
    }
    let count = max(0, (last - first + by - by.signum()) / by)
    try step(count)
    return .list((0..<count).map { .integer(first + $0 * by) })
  }
}
