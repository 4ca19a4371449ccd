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
  /// Each works on the output of the one before (MAD-X, Pfeiffer et al. 2020).
  case stack([Composition])
  /// All work on the same input; attention mixes their outputs (AdapterFusion, Pfeiffer et al. 2021).
  ///
  /// `name` picks one of several fusions trained over the same adapters.
  case fuse([Composition], name: String?)
  /// Each works on its part of every sequence: so many tokens, one after another.
  case split([Composition], tokens: [Int])
  /// Each works on its part of the batch: so many sequences, one after another.
  case batchSplit([Composition], sequences: [Int])
  /// Each works on a copy of the batch (AdapterDrop, Rücklé et al. 2021).
  case parallel([Composition])
  /// The weighted mean of their outputs; equal weights if there are none.
  case average([Composition], weights: [Double]?, normalizes: Bool)

  public static func stack(_ children: Composition...) -> Composition { .stack(children) }
  public static func fuse(_ children: Composition..., name: String? = nil) -> Composition { .fuse(children, name: name) }
  public static func parallel(_ children: Composition...) -> Composition { .parallel(children) }
}

extension Composition {
  /// What stands directly in a block; nothing for an adapter.
  public var children: [Composition] {
    switch self {
    case .adapter: []
    case .stack(let children), .fuse(let children, _), .split(let children, _), .batchSplit(let children, _), .parallel(let children),
      .average(let children, _, _):
      children
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
    guard let block else { return leaves.joined() }
    return "\(block.rawValue)(\((children.map(\.description) + options).joined(separator: ", ")))"
  }

  private var options: [String] {
    switch self {
    case .adapter, .stack, .parallel: []
    case .fuse(_, let name): name.map { ["name=\($0)"] } ?? []
    case .split(_, let tokens): ["tokens=\(Self.list(tokens))"]
    case .batchSplit(_, let sequences): ["sequences=\(Self.list(sequences))"]
    case .average(_, let weights, let normalizes):
      (weights.map { ["weights=\(Self.list($0))"] } ?? []) + (normalizes ? [] : ["normalize=false"])
    }
  }

  private static func list(_ numbers: [some CustomStringConvertible]) -> String { "[\(numbers.map(\.description).joined(separator: ", "))]" }
}

extension Composition {
  /// The words of the composition language.
  enum Block: String, CaseIterable {
    case stack, fuse, split, parallel, average
    case batchSplit = "batch_split"

    /// What the Python library lets stand in each block, besides adapters.
    var allowed: Set<Block> {
      switch self {
      case .stack: [.fuse, .split, .parallel, .batchSplit, .average]
      case .fuse: [.stack]
      case .split: [.split, .stack, .batchSplit, .average]
      case .parallel: [.stack, .batchSplit, .average]
      case .batchSplit: [.stack, .split, .batchSplit, .average]
      case .average: [.stack, .split, .batchSplit]
      }
    }
  }

  var block: Block? {
    switch self {
    case .adapter: nil
    case .stack: .stack
    case .fuse: .fuse
    case .split: .split
    case .batchSplit: .batchSplit
    case .parallel: .parallel
    case .average: .average
    }
  }
}
