extension Composition {
  /// Reads a composition. The grammar:
  ///
  ///     composition = reference | "base" | block "(" argument { "," argument } ")" | "drop" "(" layers "," composition
  ///     ")" block       = "stack" | "fuse" | "split" | "batch_split" | "parallel" | "average" | "multi_task" | name
  ///     argument    = composition | option "=" value
  ///     value       = word | "[" word { "," word } "]"
  ///     layers      = range | "[" range { "," range } "]"
  ///     range       = number [ "-" number ]
  ///
  /// `fuse` has the option `name`, `split` needs `tokens` and `batch_split` needs `sequences` (a number for each
  /// child), `average` has `weights` and `normalize`; a `name` is that of a registered ``CompositionBlock``, which has
  /// options of its own. What may nest in what follows the Python library; below the second level, only stacks are
  /// allowed.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/malformedComposition`` or ``Failure/Code/forbiddenNesting``; its
  ///   subject shows the text with a caret where it goes wrong.
  public init(parsing text: String) throws {
    guard text.utf8.count <= InputLimits.compositionBytes else {
      throw Failure(.malformedComposition, "a composition can have at most \(InputLimits.compositionBytes >> 10) KiB")
    }
    var parser = CompositionParser(text)
    self = try parser.whole()
  }
}

private struct CompositionParser {
  private let characters: [Character]
  private var position = 0

  /// A part of the text and where it begins.
  struct Placed<Value> {
    let value: Value
    let place: Int
  }

  init(_ text: String) { characters = Array(text) }

  func failure(_ code: Failure.Code, _ message: String, at place: Int, hint: String? = nil) -> Failure {
    let line = characters.map { $0.isNewline ? " " : $0 }
    return Failure(code, message, at: Failure.pointing(line, at: place), hint: hint)
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
    let composition = try composition(depth: 0).value
    skipSpace()
    guard position == characters.count else {
      throw failure(.malformedComposition, "unexpected text after the composition", at: position)
    }
    return composition
  }

  /// A word: everything up to white space, a bracket, a comma or an equals sign.
  mutating func word() throws -> Placed<String> {
    skipSpace()
    let start = position
    while position < characters.count, !characters[position].isWhitespace, !"(),=[]".contains(characters[position]) {
      position += 1
    }
    guard position > start else {
      throw failure(.malformedComposition, "expected the name of an adapter or a block", at: position)
    }
    return Placed(value: String(characters[start..<position]), place: start)
  }

  mutating func composition(depth: Int, inDrop: Bool = false) throws -> Placed<Composition> {
    let word = try word()
    guard consume("(") else {
      return Placed(value: word.value == Composition.baseWord ? .base : .adapter(word.value), place: word.place)
    }
    guard let block = Composition.Block(word.value) else {
      let known = (Composition.Block.own.map(\.name) + CompositionBlocks.names).map { "\($0)(…)" }.joined(
        separator: ", ")
      throw failure(
        .malformedComposition, "there is no block called \(word.value.debugDescription)", at: word.place,
        hint: "blocks are \(known)")
    }
    if block == .drop {
      guard !inDrop else {
        throw failure(
          .forbiddenNesting, "a drop cannot contain another drop", at: word.place, hint: "list all layers in one")
      }
      return Placed(value: try drop(depth: depth), place: word.place)
    }
    guard depth < 2 || block == .stack, depth < 3 else {
      throw failure(.forbiddenNesting, "below the second level, only stacks are allowed", at: word.place)
    }
    let (children, options) = try arguments(depth: depth)
    try checkNesting(children, in: block)
    return Placed(value: try built(block, children.map(\.value), options, at: word.place), place: word.place)
  }

  /// What follows `drop(`. It is not a level of its own, and is given the depth of what stands in it.
  private mutating func drop(depth: Int) throws -> Composition {
    skipSpace()
    let place = position, layers = try value().map { LayerRanges.layers($0) }
    guard !layers.contains(nil), consume(",") else {
      throw failure(
        .malformedComposition, "expected the layers to leave out", at: place,
        hint: "drop(0-4, a) leaves out the first five")
    }
    let child = try composition(depth: depth, inDrop: true)
    guard consume(")") else { throw failure(.malformedComposition, "expected ')'", at: position) }
    return .drop(child.value, layers: Set(layers.compactMap(\.self).joined()))
  }

  private func checkNesting(_ children: [Placed<Composition>], in block: Composition.Block) throws {
    for child in children {
      guard let inner = child.value.undropped.block, !block.allows(inner) else { continue }
      let allowed = block.allowed.map(\.name).joined(separator: ", ")
      throw failure(
        .forbiddenNesting, "a \(block.name) cannot contain a \(inner.name)", at: child.place,
        hint: inner == block
          ? "list its adapters in the outer \(block.name)" : "a \(block.name) may contain adapters and \(allowed)")
    }
  }

  private func built(
    _ block: Composition.Block, _ children: [Composition], _ options: [String: Placed<[String]>], at place: Int
  ) throws -> Composition {
    let known = block.options
    if let (name, option) = options.sorted(by: { $0.key < $1.key }).first(where: { !known.contains($0.key) }) {
      throw failure(.malformedComposition, "a \(block.name) has no option \(name.debugDescription)", at: option.place)
    }
    func sizes(_ name: String) throws -> [Int] {
      guard let option = options[name] else {
        throw failure(
          .malformedComposition, "a \(block.name) needs the option \(name)", at: place,
          hint: "\(name)=[…], a number for each child")
      }
      return try numbers(option, count: children.count) { Int($0).flatMap { $0 > 0 ? $0 : nil } }
    }
    switch block {
    case .drop: return children[0]
    case .multiTask: return .multiTask(children)
    case .stack: return .stack(children)
    case .parallel: return .parallel(children)
    case .fuse: return .fuse(children, name: options["name"]?.value.first)
    case .split: return .split(children, tokens: try sizes("tokens"))
    case .batchSplit: return .batchSplit(children, sequences: try sizes("sequences"))
    case .average:
      let weights = try options["weights"].map {
        try numbers($0, count: children.count) { Double($0).flatMap { $0.isFinite ? $0 : nil } }
      }
      let normalizes = options["normalize"]?.value != ["false"]
      if normalizes, let weights, weights.reduce(0, +) == 0 {
        throw failure(.malformedComposition, "weights that add up to zero cannot be normalised", at: place)
      }
      return .average(children, weights: weights, normalizes: normalizes)
    case .custom(let name):
      let values = options.mapValues(\.value)
      do {
        _ = try CompositionBlocks.type(named: name)?.init(options: values, children: children.count)
      } catch let error as Failure {
        throw failure(
          .malformedComposition, error.message, at: error.subject.flatMap { options[$0]?.place } ?? place,
          hint: error.hint)
      }
      return .custom(name, children, options: values)
    }
  }

  private func numbers<Number>(
    _ option: Placed<[String]>, count: Int, _ convert: (String) -> Number?
  ) throws -> [Number] {
    let numbers = option.value.compactMap(convert)
    guard numbers.count == option.value.count, numbers.count == count else {
      throw failure(.malformedComposition, "expected \(count) numbers, one for each child", at: option.place)
    }
    return numbers
  }

  mutating func arguments(depth: Int) throws -> (children: [Placed<Composition>], options: [String: Placed<[String]>]) {
    var children: [Placed<Composition>] = []
    var options: [String: Placed<[String]>] = [:]
    repeat {
      let child = try composition(depth: depth + 1)
      guard consume("=") else {
        children.append(child)
        continue
      }
      guard case .adapter(let option) = child.value, options[option] == nil else {
        throw failure(.malformedComposition, "this is not an option, or it is given twice", at: child.place)
      }
      options[option] = Placed(value: try value(), place: child.place)
    } while consume(",")
    guard consume(")") else { throw failure(.malformedComposition, "expected ',' or ')'", at: position) }
    guard !children.isEmpty else {
      throw failure(.malformedComposition, "a block needs at least one adapter", at: position - 1)
    }
    return (children, options)
  }

  /// A word, or words in brackets.
  mutating func value() throws -> [String] {
    guard consume("[") else { return [try word().value] }
    var words: [String] = []
    repeat { words.append(try word().value) } while consume(",")
    guard consume("]") else { throw failure(.malformedComposition, "expected ',' or ']'", at: position) }
    return words
  }
}

extension Composition.Block {
  fileprivate var options: Set<String> {
    switch self {
    case .fuse: ["name"]
    case .split: ["tokens"]
    case .batchSplit: ["sequences"]
    case .average: ["weights", "normalize"]
    case .custom(let name): CompositionBlocks.type(named: name)?.options ?? []
    case .stack, .parallel, .multiTask, .drop: []
    }
  }
}

extension Composition {
  /// What stands in a `drop`.
  fileprivate var undropped: Composition { if case .drop(let child, _) = self { child } else { self } }
}
