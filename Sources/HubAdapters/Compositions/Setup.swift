public import HubManifest
public import HubTensor
public import HubTransformer

extension Failure.Code {
  /// A composition names an adapter that was not loaded.
  public static let unknownName = Self("setup/unknown-name", .notFound)
  /// No fusion was trained over the adapters that are to be fused.
  public static let missingFusion = Self("setup/missing-fusion", .notFound)
  /// A block around adapters of a method that cannot work in it.
  public static let unsuitableBlock = Self("setup/unsuitable-block", .badData)
  /// Adapters that act at different places cannot stand side by side in a block.
  public static let differentSites = Self("setup/different-sites", .badData)
}

/// A composition whose names have become adapters: immutable, shared by any number of requests.
public struct Setup: Sendable {
  indirect enum Node: Sendable {
    case adapter(any AdapterMethod, name: String)
    case stack([Node])
    case fuse([Node], AdapterFusion, name: String)
    case split([Node], tokens: [Int])
    case batchSplit([Node], sequences: [Int])
    case parallel([Node])
    case average([Node], weights: [Float])
  }

  let root: Node
  public let composition: Composition
  /// Where one of its adapters acts.
  let sites: Set<Site>

  /// - Parameters:
  ///   - adapter: the adapter of a name, or `nil`
  ///   - fusion: the fusion trained over these members, given the sites where they act; or `nil`. Its name is
  ///     what the composition calls it, else the members joined by commas.
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownName``, ``Failure/Code/missingFusion`` or
  ///   ``Failure/Code/differentSites`` or ``Failure/Code/unsuitableBlock``.
  public init(
    _ composition: Composition, adapter: (String) throws -> (any AdapterMethod)?,
    fusion: (_ members: [String], _ name: String?, _ sites: Set<Site>) throws -> AdapterFusion?
  ) throws {
    try composition.check()
    func node(_ composition: Composition) throws -> Node {
      let nodes = try composition.children.map(node)
      switch composition {
      case .adapter(let name):
        guard let adapter = try adapter(name) else { throw Failure(.unknownName, "there is no adapter called \(name.debugDescription)") }
        return .adapter(adapter, name: name)
      case .stack:
        try Self.checkChains(nodes, composition)
        return .stack(nodes)
      case .fuse(let children, let name):
        let members = Composition.members(of: children)
        let label = name ?? members.joined(separator: ",")
        let sites = try Self.commonSites(nodes, composition)
        try Self.checkSublayersOnly(sites, composition)
        guard let fusion = try fusion(members, name, sites) else {
          throw Failure(.missingFusion, "no fusion of \(label) is there", hint: "a fusion is trained; install the one that belongs to these adapters")
        }
        return .fuse(nodes, fusion, name: label)
      case .split(_, let tokens):
        try Self.checkSublayersOnly(Self.commonSites(nodes, composition), composition)
        return .split(nodes, tokens: tokens)
      case .batchSplit(_, let sequences):
        _ = try Self.commonSites(nodes, composition)
        return .batchSplit(nodes, sequences: sequences)
      case .parallel:
        _ = try Self.commonSites(nodes, composition)
        return .parallel(nodes)
      case .average(_, let weights, let normalizes):
        guard try Self.commonSites(nodes, composition).allSatisfy({ $0.place != .prefix }) else {
          throw Failure(
            .unsuitableBlock, "prefixes cannot be averaged where they act", at: composition.description,
            hint: "average the weights of the adapters instead")
        }
        return .average(nodes, weights: Self.shares(weights, count: nodes.count, normalizes: normalizes))
      }
    }
    self.composition = composition
    root = try node(composition)
    sites = root.sites
  }

  /// Where the children of a block act: all at the same sites.
  private static func commonSites(_ nodes: [Node], _ composition: Composition) throws -> Set<Site> {
    let sites = nodes.map(\.sites)
    guard let first = sites.first, sites.allSatisfy({ $0 == first }) else {
      throw Failure(.differentSites, "the adapters of a block must act at the same sites; these do not", at: composition.description)
    }
    return first
  }

  /// In a stack an adapter of a linear layer reads the contribution of the one before.
  private static func checkChains(_ nodes: [Node], _ composition: Composition) throws {
    for site in nodes.reduce(into: Set<Site>(), { $0.formUnion($1.sites) }).sorted() {
      let followers = nodes.filter { $0.sites.contains(site) }.dropFirst().flatMap(\.leaves)
      guard followers.allSatisfy({ $0.projectionAdapter(at: site)?.canFollow ?? true }) else {
        throw Failure(
          .unsuitableBlock, "\(site.place.rawValue) of layer \(site.layer) is not square: an adapter there cannot read what another one adds",
          at: composition.description)
      }
    }
  }

  /// A fusion and a split work on what sublayers give, not on linear layers.
  private static func checkSublayersOnly(_ sites: Set<Site>, _ composition: Composition) throws {
    guard sites.allSatisfy(\.place.isSublayer) else {
      throw Failure(
        .unsuitableBlock, "only bottleneck adapters can be fused and split; of these, some act elsewhere", at: composition.description,
        hint: "stack, batch_split, parallel and average take them")
    }
  }

  /// As the Python library computes them: normalised weights are divided by the number of children once more, so that
  /// the average of an adapter with itself is half of it.
  private static func shares(_ weights: [Double]?, count: Int, normalizes: Bool) -> [Float] {
    let weights = weights ?? Array(repeating: 1 / Double(count), count: count)
    let sum = normalizes ? weights.reduce(0, +) : 1
    return weights.map { Float($0 / sum / Double(count)) }
  }

  /// The weights of all adapters and fusions.
  public var parameters: [Parameter] { root.parameters }

  /// The number of places of the base model where something is changed.
  public var siteCount: Int { sites.count + (root.first?.embeddingAdapter == nil ? 0 : 1) }

  /// The adapter of the embeddings, where it can be undone.
  public var inverting: (any InvertibleAdapter)? { root.first?.embeddingAdapter as? any InvertibleAdapter }

  /// How many answers there are for each sequence: one for each branch of a `parallel`.
  public var copies: Int { root.copies }
}

extension Setup.Node {
  var children: [Setup.Node] {
    switch self {
    case .adapter: []
    case .stack(let nodes), .fuse(let nodes, _, _), .split(let nodes, _), .batchSplit(let nodes, _), .parallel(let nodes), .average(let nodes, _): nodes
    }
  }

  /// The adapter that stands first.
  var first: (any AdapterMethod)? {
    if case .adapter(let adapter, _) = self { return adapter }
    return children.first?.first
  }

  /// The adapter that stands last.
  var last: (any AdapterMethod)? {
    if case .adapter(let adapter, _) = self { return adapter }
    return children.last?.last
  }

  var leaves: [any AdapterMethod] {
    if case .adapter(let adapter, _) = self { return [adapter] }
    return children.flatMap(\.leaves)
  }

  var sites: Set<Site> {
    if case .adapter(let adapter, _) = self { return adapter.sites }
    return children.reduce(into: []) { $0.formUnion($1.sites) }
  }

  var parameters: [Parameter] {
    switch self {
    case .adapter(let adapter, _): adapter.parameters
    case .fuse(let nodes, let fusion, _): nodes.flatMap(\.parameters) + fusion.parameters
    default: children.flatMap(\.parameters)
    }
  }

  var copies: Int {
    if case .parallel(let nodes) = self { return nodes.count }
    return children.map(\.copies).max() ?? 1
  }
}
