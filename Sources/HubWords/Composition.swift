extension Failure.Code {
  /// The text of a composition has a syntax error.
  public static let malformedComposition = Self("composition/syntax", .usage)
  /// A block stands where the rules of composition do not allow it.
  public static let forbiddenNesting = Self("composition/nesting", .usage)
}

/// How adapters are combined on a base model, in the words of AdapterHub: as a value and as a text such as
/// `stack(de, fuse(a, b))`, the same in code, on the command line and in files.
///
/// ```swift
/// let setup: Composition = .stack("de", .fuse("a", "b"))
/// try Composition(parsing: "stack(de, fuse(a, b))") == setup  // true
/// ```
public indirect enum Composition: Hashable, Sendable {
  /// One adapter, by a reference to it.
  case adapter(String)
  /// The base model as it is, for rows that take no adapter.
  case base
  /// Each works on the output of the one before (MAD-X, Pfeiffer et al. 2020).
  case stack([Composition])
  /// All work on the same input; attention mixes their outputs (AdapterFusion, Pfeiffer et al. 2021).
  ///
  /// `name` picks one of several fusions trained over the same adapters.
  case fuse([Composition], name: String?)
  /// Each works on its part of every sequence: this many tokens, one after another.
  case split([Composition], tokens: [Int])
  /// Each works on its part of the batch: this many sequences, one after another.
  case batchSplit([Composition], sequences: [Int])
  /// Each works on a copy of the batch (AdapterDrop, Rücklé et al. 2021).
  case parallel([Composition])
  /// The weighted mean of their outputs; equal weights if there are none.
  case average([Composition], weights: [Double]?, normalizes: Bool)
  /// Each works on the sequences of its task, which the input numbers from 0 (MTL-LoRA, Yang et al. 2024).
  case multiTask([Composition])
  /// Leaves out some of the base model's layers, which count from 0 (AdapterDrop, Rücklé et al. 2021).
  case drop(Composition, layers: Set<Int>)
  /// What a registered ``CompositionBlock`` makes of their outputs.
  case custom(String, [Composition], options: [String: [String]])

  /// Each child works on the output of the one before.
  public static func stack(_ children: Composition...) -> Composition { .stack(children) }
  /// Trained attention over the outputs of the children (AdapterFusion, Pfeiffer et al. 2021).
  ///
  /// - Parameter name: the installed fusion; the one over these members if `nil`
  public static func fuse(_ children: Composition..., name: String? = nil) -> Composition {
    .fuse(children, name: name)
  }
  /// Each child works on a copy of the batch.
  public static func parallel(_ children: Composition...) -> Composition { .parallel(children) }
}

extension Composition {
  /// What stands directly in a block; nothing for an adapter.
  public var children: [Composition] {
    switch self {
    case .adapter, .base: []
    case .stack(let children), .fuse(let children, _), .split(let children, _), .batchSplit(let children, _),
      .parallel(let children),
      .average(let children, _, _), .multiTask(let children), .custom(_, let children, _):
      children
    case .drop(let child, _): [child]
    }
  }

  /// The references of all adapters, from left to right.
  public var leaves: [String] {
    if case .adapter(let reference) = self { return [reference] }
    return children.flatMap(\.leaves)
  }

  /// The names of what a fusion mixes: a stack is known by its last adapter.
  public static func members(of children: [Composition]) -> [String] {
    children.compactMap { $0.leaves.last }
  }

  /// Layer numbers as the text of a `drop` has them, such as `0-3, 5`.
  public static func text(ofLayers layers: Set<Int>) -> String { LayerRanges.text(layers).joined(separator: ", ") }

  /// The text with a caret under the first place where `part` stands, as errors show it.
  public func pointing(at part: Composition) -> String {
    Failure.pointing(Array(description), at: offset(of: part) ?? 0)
  }

  private func offset(of part: Composition) -> Int? {
    if self == part { return 0 }
    guard let block else { return nil }
    var offset = block.name.count + 1 + leading.reduce(0) { $0 + $1.count + 2 }
    for child in children {
      if let inner = child.offset(of: part) { return offset + inner }
      offset += child.description.count + 2
    }
    return nil
  }

  /// Checks a composition that was built in code as strictly as one that was read.
  ///
  /// - Throws: ``Failure``, as ``init(parsing:)``.
  public func check() throws { _ = try Composition(parsing: description) }
}

extension Composition: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self = .adapter(value) }
}

extension Composition: CustomStringConvertible {
  public var description: String {
    guard let block else { return leaves.first ?? Self.baseWord }
    return "\(block.name)(\((leading + children.map(\.description) + options).joined(separator: ", ")))"
  }

  static let baseWord = "base"

  /// What stands before the children.
  private var leading: [String] {
    guard case .drop(_, let layers) = self else { return [] }
    let ranges = LayerRanges.text(layers)
    return [ranges.count == 1 ? ranges[0] : Self.list(ranges)]
  }

  private var options: [String] {
    switch self {
    case .adapter, .base, .stack, .parallel, .multiTask, .drop: []
    case .fuse(_, let name): name.map { ["name=\($0)"] } ?? []
    case .split(_, let tokens): ["tokens=\(Self.list(tokens))"]
    case .batchSplit(_, let sequences): ["sequences=\(Self.list(sequences))"]
    case .average(_, let weights, let normalizes):
      (weights.map { ["weights=\(Self.list($0))"] } ?? []) + (normalizes ? [] : ["normalize=false"])
    case .custom(_, _, let options):
      options.sorted { $0.key < $1.key }.map { "\($0)=\($1.count == 1 ? $1[0] : Self.list($1))" }
    }
  }

  private static func list(_ numbers: [some CustomStringConvertible]) -> String {
    "[\(numbers.map(\.description).joined(separator: ", "))]"
  }
}

extension Composition {
  /// The words of the composition language.
  enum Block: Hashable {
    case stack, fuse, split, batchSplit, parallel, average, multiTask, drop
    case custom(String)

    static let own: [Block] = [.stack, .fuse, .split, .parallel, .average, .drop, .batchSplit, .multiTask]

    /// - Parameter word: `batchsplit` and `multitask`, as the Python library's classes are called, are read too
    init?(_ word: String) {
      let word = word.lowercased()
      if let own = Self.own.first(where: { [$0.name, $0.name.filter { $0 != "_" }].contains(word) }) {
        self = own
      } else if CompositionBlocks.type(named: word) != nil {
        self = .custom(word)
      } else {
        return nil
      }
    }

    var name: String {
      switch self {
      case .stack: "stack"
      case .fuse: "fuse"
      case .split: "split"
      case .batchSplit: "batch_split"
      case .parallel: "parallel"
      case .average: "average"
      case .multiTask: "multi_task"
      case .drop: "drop"
      case .custom(let name): name
      }
    }

    /// What the Python library lets stand in each block, besides adapters. It has no `drop`, which may stand anywhere
    /// around what may stand there. A custom block stands where an `average` does, and around the same.
    func allows(_ inner: Block) -> Bool {
      if case .custom = inner { return allows(.average) }
      return allowed.contains(inner)
    }

    var allowed: [Block] {
      switch self {
      case .drop: Self.own
      case .multiTask, .batchSplit: [.average, .batchSplit, .split, .stack]
      case .stack: [.average, .batchSplit, .fuse, .multiTask, .parallel, .split]
      case .fuse: [.stack]
      case .split: [.average, .batchSplit, .split, .stack]
      case .parallel: [.average, .batchSplit, .stack]
      case .average, .custom: [.batchSplit, .split, .stack]
      }
    }
  }

  var block: Block? {
    switch self {
    case .adapter, .base: nil
    case .multiTask: .multiTask
    case .drop: .drop
    case .stack: .stack
    case .fuse: .fuse
    case .split: .split
    case .batchSplit: .batchSplit
    case .parallel: .parallel
    case .average: .average
    case .custom(let name, _, _): .custom(name)
    }
  }
}

/// Layer numbers as people write them: `1-5` for 1, 2, 3, 4 and 5.
enum LayerRanges {
  static let limit = 1024

  static func text(_ layers: Set<Int>) -> [String] {
    layers.sorted().reduce(into: [ClosedRange<Int>]()) { ranges, layer in
      if let last = ranges.last, last.upperBound + 1 == layer {
        ranges[ranges.count - 1] = last.lowerBound...layer
      } else {
        ranges.append(layer...layer)
      }
    }.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
  }

  /// `nil` if the text is neither a number nor a range of numbers below ``limit``.
  static func layers(_ text: String) -> ClosedRange<Int>? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0, first <= last,
      last < limit
    else { return nil }
    return first...last
  }
}
