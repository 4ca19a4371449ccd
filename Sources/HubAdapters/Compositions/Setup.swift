public import HubWords
public import HubTensor
public import HubModels
import HubTransformer

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
    case adapter(Leaf)
    case base
    case stack([Node])
    case fuse([Node], AdapterFusion, name: String)
    /// Each child works on its rows.
    case route([Node], any Routing)
    /// All work on all rows.
    case mix([Node], any Mixing)
  }

  /// An adapter of a composition.
  struct Leaf: Sendable {
    let method: any AdapterMethod
    let name: String
    /// The layers where the composition leaves it out.
    let droppedLayers: Set<Int>

    var sites: Set<Site> {
      droppedLayers.isEmpty ? method.sites : method.sites.filter { !droppedLayers.contains($0.layer) }
    }
    func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? {
      acts(in: site.layer) ? method.sublayerAdapter(at: site) : nil
    }
    func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? {
      acts(in: site.layer) ? method.projectionAdapter(at: site) : nil
    }
    func prefixAdapter(at site: Site) -> (any PrefixAdapter)? {
      acts(in: site.layer) ? method.prefixAdapter(at: site) : nil
    }
    func layerAdapter(at index: Int) -> (any LayerAdapter)? { acts(in: index) ? method.layerAdapter(at: index) : nil }

    private func acts(in layer: Int) -> Bool { !droppedLayers.contains(layer) }
  }

  let root: Node
  /// What it was built from.
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
    _ composition: Composition, adapter: @escaping (String) throws -> (any AdapterMethod)?,
    fusion: @escaping (_ members: [String], _ name: String?, _ sites: Set<Site>) throws -> AdapterFusion?
  ) throws {
    try composition.check()
    try self.init(
      composition, root: SetupBuilder(whole: composition, adapter: adapter, fusion: fusion).node(composition))
  }

  /// One setup for each of several requests that share a pass, each with this many sequences; `nil` is the base model
  /// alone.
  ///
  /// Unlike a `batch_split`, no setup has any influence on another: each answers as it does alone.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsuitableBlock``: a setup with a `parallel`, which multiplies
  ///   rows, or one that moves the positions of the text.
  public init(requests: [(setup: Setup?, sequences: Int)]) throws {
    let compositions = requests.map { $0.setup?.composition ?? .base }
    for request in requests {
      guard let setup = request.setup, setup.copies > 1 || setup.root.first?.method.promptAdapter != nil else {
        continue
      }
      throw Failure(
        .unsuitableBlock, "a setup with a parallel or a prompt cannot share a pass with others",
        at: setup.composition.description,
        hint: "run it by itself")
    }
    let counts = requests.map(\.sequences)
    self.init(
      .batchSplit(compositions, sequences: counts),
      root: .route(requests.map { $0.setup?.root ?? .base }, Requests(sizes: counts)))
  }

  private init(_ composition: Composition, root: Node) {
    self.composition = composition
    self.root = root
    sites = root.sites
  }

  /// What one adapter of a setup is and does.
  public struct Use: Sendable {
    /// As the composition calls it.
    public let name: String
    /// Where it acts in this setup.
    public let sites: Set<Site>
    /// Whether it acts on the embedding output, too.
    public let changesEmbeddings: Bool
    /// The numbers in its weights.
    public let parameterCount: Int
  }

  /// The adapters from left to right; one that stands in several places is there several times.
  public var uses: [Use] {
    let first = root.first?.name
    return root.leaves.map { leaf in
      let method = leaf.method,
        changesEmbeddings =
          leaf.name == first && (method.embeddingAdapter != nil || method.promptAdapter?.addedRows ?? 0 > 0)
      return Use(
        name: leaf.name, sites: leaf.sites, changesEmbeddings: changesEmbeddings,
        parameterCount: method.parameters.reduce(0) { $0 + $1.count })
    }
  }

  /// The fusions, by what compositions call them, and the numbers in their weights.
  public var fusions: [(name: String, parameterCount: Int)] {
    root.fusions.map { ($0, $1.parameters.reduce(0) { $0 + $1.count }) }
  }

  /// The weights of all adapters and fusions.
  public var parameters: [Parameter] { root.parameters }

  /// The number of places of the base model where something is changed.
  public var siteCount: Int {
    guard let first = root.first?.method else { return sites.count }
    return sites.count + (first.embeddingAdapter == nil ? 0 : 1) + (first.promptAdapter == nil ? 0 : 1)
  }

  /// The adapter of the embeddings, where it can be undone.
  public var inverting: (any InvertibleAdapter)? { root.first?.method.embeddingAdapter as? any InvertibleAdapter }

  /// The sequences that the base model's layers see: with a prompt, longer than those of the text.
  public func lengthened(_ sequences: Sequences) -> Sequences {
    guard let added = root.first?.method.promptAdapter?.addedRows, added > 0 else { return sequences }
    return Sequences(lengths: (0..<sequences.count).map { sequences[$0].count + added })
  }

  /// Whether it may be one of the setups of ``init(requests:)``.
  public var sharesPasses: Bool { copies == 1 && root.first?.method.promptAdapter == nil && !dividesBatch }

  /// Whether it says which part of the batch goes where.
  public var dividesBatch: Bool { root.dividesBatch }

  /// The sequences of each part of the `batch_split` that the setup is, or ends with; `nil` if it does not.
  public var partSizes: [Int]? { root.partSizes }

  /// How many positions of the base model are taken by what stands before the text.
  public var takenPositions: Int { root.first?.method.promptAdapter?.takenPositions ?? 0 }

  /// How many answers there are for each sequence: one for each branch of a `parallel`.
  public var copies: Int { root.copies }
}

extension Setup.Node {
  /// Whether a block in it sends rows different ways.
  var routes: Bool { if case .route = self { true } else { children.contains(where: \.routes) } }

  var children: [Setup.Node] {
    switch self {
    case .adapter, .base: []
    case .stack(let nodes), .fuse(let nodes, _, _), .route(let nodes, _), .mix(let nodes, _): nodes
    }
  }

  /// The adapter that stands first. Requests that know nothing of each other have none in common.
  var first: Setup.Leaf? {
    switch self {
    case .adapter(let leaf): leaf
    case .route(_, let routing) where routing.isIndependent: nil
    default: children.first?.first
    }
  }

  /// The adapter that stands last.
  var last: Setup.Leaf? {
    if case .adapter(let leaf) = self { return leaf }
    return children.last?.last
  }

  var leaves: [Setup.Leaf] {
    if case .adapter(let leaf) = self { return [leaf] }
    return children.flatMap(\.leaves)
  }

  var sites: Set<Site> { leaves.reduce(into: []) { $0.formUnion($1.sites) } }

  var parameters: [Parameter] {
    switch self {
    case .adapter(let leaf): leaf.method.parameters
    case .fuse(let nodes, let fusion, _): nodes.flatMap(\.parameters) + fusion.parameters
    default: children.flatMap(\.parameters)
    }
  }

  var partSizes: [Int]? {
    switch self {
    case .route(_, let routing): routing.partSizes
    case .stack(let nodes): nodes.last?.partSizes
    default: nil
    }
  }

  var dividesBatch: Bool {
    if case .route(_, let routing) = self, routing.dividesBatch { return true }
    return children.contains(where: \.dividesBatch)
  }

  var fusions: [(String, AdapterFusion)] {
    if case .fuse(let nodes, let fusion, let name) = self { return nodes.flatMap(\.fusions) + [(name, fusion)] }
    return children.flatMap(\.fusions)
  }

  var copies: Int {
    if case .route(_, let routing) = self, routing.copies > 1 { return routing.copies }
    return children.map(\.copies).max() ?? 1
  }
}
