public import HubWords

extension Failure.Code {
  /// A composition in a bundle is not made of its members.
  public static let malformedPinning = Self("bundle/bad-composition", .badData)
}

/// A composition in which every adapter is named with its version, and every fusion too: the configuration of a bundle
/// of the kind `composition`.
public struct PinnedComposition: Hashable, Sendable {
  /// The composition; each name in it has a version.
  public let setup: Composition
  /// The adapter whose head answers, where it is not the last one's.
  public let head: String?

  public init(_ setup: Composition, head: String? = nil) { (self.setup, self.head) = (setup, head) }

  /// - Throws: ``Failure/Code/malformedPinning`` also for a text that is not in the form in which compositions are
  ///   written.
  public init(_ object: JSONObject) throws {
    let text = try object.string("setup")
    do {
      self.init(try Composition(parsing: text), head: try object.optionalString("head"))
    } catch let failure as Failure where [.malformedComposition, .forbiddenNesting].contains(failure.code) {
      throw Failure(.malformedPinning, failure.message, at: failure.subject, hint: failure.hint)
    }
    guard setup.description == text, (text + (head ?? "")).utf8.allSatisfy({ $0 < 0x80 }) else {
      throw Failure(
        .malformedPinning, "the setup is not written in its standard form", at: object.path(to: "setup"),
        hint: "write \(setup)")
    }
  }

  /// The configuration as JSON.
  public var json: JSON {
    var members: JSON.Members = ["setup": .string(setup.description)]
    members["head"] = head.map { .string($0) }
    return .object(members)
  }

  /// Everything that is named; a fusion without a name is one, too.
  public var references: Set<String> {
    Set(setup.leaves + setup.fusions.map { $0.name ?? "" } + (head.map { [$0] } ?? []))
  }
}

extension Composition {
  /// What stands in each `fuse`, and its name.
  public var fusions: [(children: [Composition], name: String?)] {
    let own: [(children: [Composition], name: String?)] =
      if case .fuse(let children, let name) = self { [(children, name)] } else { [] }
    return own + children.flatMap(\.fusions)
  }

  /// The same with something else in the place of its adapters and of its fusions' names. A stack that comes to stand
  /// in a stack becomes part of it.
  public func replacing(
    adapter: (String) throws -> Composition, fusion: (_ children: [Composition], _ name: String?) throws -> String?
  ) rethrows -> Composition {
    let new = try children.map { try $0.replacing(adapter: adapter, fusion: fusion) }
    switch self {
    case .adapter(let reference): return try adapter(reference)
    case .base: return .base
    case .stack: return .stack(new.flatMap { if case .stack(let inner) = $0 { inner } else { [$0] } })
    case .fuse(_, let name): return .fuse(new, name: try fusion(new, name))
    case .split(_, let tokens): return .split(new, tokens: tokens)
    case .batchSplit(_, let sequences): return .batchSplit(new, sequences: sequences)
    case .parallel: return .parallel(new)
    case .average(_, let weights, let normalizes): return .average(new, weights: weights, normalizes: normalizes)
    case .multiTask: return .multiTask(new)
    case .drop(_, let layers): return .drop(new[0], layers: layers)
    case .custom(let name, _, let options): return .custom(name, new, options: options)
    }
  }
}
