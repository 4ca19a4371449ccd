public import HubManifest
public import HubTensor
public import HubTransformer

extension Failure.Code {
  /// A composition names an adapter that was not loaded.
  public static let unknownName = Self("setup/unknown-name", .notFound)
  /// No fusion was trained over the adapters that are to be fused.
  public static let missingFusion = Self("setup/missing-fusion", .notFound)
  /// Adapters that act at different places cannot be fused.
  public static let unfusable = Self("setup/unfusable", .badData)
}

/// A composition whose names have become adapters: immutable, shared by any number of requests.
public struct Setup: Sendable {
  indirect enum Node: Sendable {
    case adapter(any AdapterMethod)
    case stack([Node])
    case fuse([Node], AdapterFusion, name: String)

    /// The adapter that stands last.
    var last: (any AdapterMethod)? {
      switch self {
      case .adapter(let adapter): adapter
      case .stack(let nodes), .fuse(let nodes, _, _): nodes.last?.last
      }
    }

    var first: (any AdapterMethod)? {
      switch self {
      case .adapter(let adapter): adapter
      case .stack(let nodes), .fuse(let nodes, _, _): nodes.first?.first
      }
    }

    var adapters: [any AdapterMethod] {
      switch self {
      case .adapter(let adapter): [adapter]
      case .stack(let nodes), .fuse(let nodes, _, _): nodes.flatMap(\.adapters)
      }
    }
  }

  let root: Node
  public let composition: Composition

  /// - Parameters:
  ///   - adapter: the adapter of a name, or `nil`
  ///   - fusion: the fusion trained over these members, given the sites where they act; or `nil`. Its name is
  ///     what the composition calls it, else the members joined by commas.
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownAdapter``, ``Failure/Code/missingFusion`` or
  ///   ``Failure/Code/unfusable``.
  public init(
    _ composition: Composition, adapter: (String) throws -> (any AdapterMethod)?,
    fusion: (_ members: [String], _ name: String?, _ sites: Set<Site>) throws -> AdapterFusion?
  ) throws {
    try composition.check()
    func node(_ composition: Composition) throws -> Node {
      switch composition {
      case .adapter(let name):
        guard let adapter = try adapter(name) else { throw Failure(.unknownName, "there is no adapter called \(name.debugDescription)") }
        return .adapter(adapter)
      case .stack(let children): return .stack(try children.map(node))
      case .fuse(let children, let name):
        let nodes = try children.map(node)
        let members = Composition.members(of: children)
        let label = name ?? members.joined(separator: ",")
        guard let fusion = try fusion(members, name, try Self.commonSites(nodes, label)) else {
          throw Failure(.missingFusion, "no fusion of \(label) is there", hint: "a fusion is trained; install the one that belongs to these adapters")
        }
        return .fuse(nodes, fusion, name: label)
      }
    }
    self.composition = composition
    root = try node(composition)
  }

  /// Where the adapters of a fusion act: all at the same sites.
  private static func commonSites(_ nodes: [Node], _ label: String) throws -> Set<Site> {
    let sites = nodes.map { $0.last?.sites ?? [] }
    guard let first = sites.first, sites.allSatisfy({ $0 == first }) else {
      throw Failure(.unfusable, "the adapters \(label) act at different sites and cannot be fused")
    }
    return first
  }

  /// The weights of all adapters and fusions.
  public var parameters: [Parameter] {
    func collected(_ node: Node) -> [Parameter] {
      switch node {
      case .adapter(let adapter): adapter.parameters
      case .stack(let nodes): nodes.flatMap(collected)
      case .fuse(let nodes, let fusion, _): nodes.flatMap(collected) + fusion.parameters
      }
    }
    return collected(root)
  }

  /// The number of places of the base model where something is changed.
  public var siteCount: Int {
    root.adapters.reduce(into: Set<Site>()) { $0.formUnion($1.sites) }.count + (root.first?.embeddingAdapter == nil ? 0 : 1)
  }
}
