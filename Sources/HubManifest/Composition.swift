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
/// try Composition("stack(de, fuse(a, b))") == setup  // true
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

  public static func stack(_ children: Composition...) -> Composition { .stack(children) }
  public static func fuse(_ children: Composition..., name: String? = nil) -> Composition { .fuse(children, name: name) }
}

extension Composition {
  /// The references of all adapters, from left to right.
  public var leaves: [String] {
    switch self {
    case .adapter(let reference): [reference]
    case .stack(let children), .fuse(let children, _): children.flatMap(\.leaves)
    }
  }

  /// The names of what a fusion mixes: a stack is known by its last adapter.
  public static func members(of children: [Composition]) -> [String] {
    children.compactMap { $0.leaves.last }
  }

  /// Checks a composition that was built in code as strictly as one that was read.
  ///
  /// - Throws: ``Failure``, as ``init(_:)``.
  public func check() throws { _ = try Composition(description) }
}

extension Composition: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self = .adapter(value) }
}

extension Composition: CustomStringConvertible {
  public var description: String {
    switch self {
    case .adapter(let reference): reference
    case .stack(let children): "stack(\(Self.list(children)))"
    case .fuse(let children, let name): "fuse(\(Self.list(children))\(name.map { ", name=\($0)" } ?? ""))"
    }
  }

  private static func list(_ children: [Composition]) -> String { children.map(\.description).joined(separator: ", ") }
}
