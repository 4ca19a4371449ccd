import HubWords
import HubModels
import HubTransformer

/// Puts adapters in the place of a composition's names, and refuses blocks around adapters that cannot work in them.
struct SetupBuilder {
  /// All of it, for errors that show where they are.
  let whole: Composition
  let adapter: (String) throws -> (any AdapterMethod)?
  let fusion: (_ members: [String], _ name: String?, _ sites: Set<Site>) throws -> AdapterFusion?

  /// - Parameter layers: where adapters are left out
  func node(_ composition: Composition, without layers: Set<Int> = []) throws -> Setup.Node {
    let layers = if case .drop(_, let dropped) = composition { layers.union(dropped) } else { layers }
    let nodes = try composition.children.map { try node($0, without: layers) }
    switch composition {
    case .base: return .base
    case .drop: return nodes[0]
    case .adapter(let name):
      guard let adapter = try locating(composition, { try adapter(name) }) else {
        throw Failure(
          .unknownName, "there is no adapter called \(name.debugDescription)", at: whole.pointing(at: composition))
      }
      return .adapter(Setup.Leaf(method: adapter, name: name, droppedLayers: layers))
    case .stack:
      try checkChains(nodes, composition)
      return .stack(nodes)
    case .fuse(let children, let name):
      return try fuse(nodes, members: Composition.members(of: children), name, composition)
    case .split(_, let tokens): return try route(nodes, Split(tokens: tokens), composition)
    case .batchSplit(_, let sizes): return try route(nodes, BatchSplit(sizes: sizes), composition)
    case .parallel: return try route(nodes, Parallel(copies: nodes.count), composition)
    case .multiTask: return try route(nodes, MultiTask(count: nodes.count), composition)
    case .average(_, let weights, let normalizes):
      try checkMixes(nodes, composition)
      return .mix(nodes, WeightedSum(weights: shares(weights, count: nodes.count, normalizes: normalizes)))
    case .custom(let name, _, let options):
      let block = try CompositionBlocks.type(named: name)?.init(options: options, children: nodes.count)
      if let routing = block as? any Routing { return try route(nodes, routing, composition) }
      guard let mixing = block as? any Mixing else {
        throw Failure(
          .unsuitableBlock, "no implementation of the block is registered", at: whole.pointing(at: composition),
          hint: "register it with MixingBlocks.register or RoutingBlocks.register")
      }
      try checkMixes(nodes, composition)
      return .mix(nodes, mixing)
    }
  }

  private func route(_ nodes: [Setup.Node], _ routing: any Routing, _ composition: Composition) throws -> Setup.Node {
    if routing.takesSublayersOnly { try checkSublayersOnly(commonSites(nodes, composition), composition) }
    return .route(nodes, routing)
  }

  private func checkMixes(_ nodes: [Setup.Node], _ composition: Composition) throws {
    guard try commonSites(nodes, composition).allSatisfy({ $0.place != .prefix }) else {
      throw Failure(
        .unsuitableBlock, "prefixes cannot be averaged where they act", at: whole.pointing(at: composition),
        hint: "average the weights of the adapters instead")
    }
  }

  private func fuse(
    _ nodes: [Setup.Node], members: [String], _ name: String?, _ composition: Composition
  ) throws -> Setup.Node {
    let label = name ?? members.joined(separator: ","), sites = try commonSites(nodes, composition)
    try checkSublayersOnly(sites, composition)
    guard let fusion = try locating(composition, { try fusion(members, name, sites) }) else {
      throw Failure(
        .missingFusion, "there is no fusion of \(label)", at: whole.pointing(at: composition),
        hint: "fusions are trained: install the one that was trained over these adapters")
    }
    return .fuse(nodes, fusion, name: label)
  }

  /// Shows where in the composition something went wrong, unless the failure is about a file's content.
  private func locating<Result>(_ part: Composition, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch var failure as Failure
      where whole != part && failure.subject.map({ part.leaves.contains($0) || part.description == $0 }) ?? true
    {
      failure.subject = whole.pointing(at: part)
      throw failure
    }
  }

  /// Where the children of a block act, if no layer is left out: all at the same sites.
  private func commonSites(_ nodes: [Setup.Node], _ composition: Composition) throws -> Set<Site> {
    let sites = nodes.map { $0.leaves.reduce(into: Set<Site>()) { $0.formUnion($1.method.sites) } }
    guard let first = sites.first, sites.allSatisfy({ $0 == first }) else {
      throw Failure(
        .differentSites, "the adapters of a block must act at the same sites; these do not",
        at: whole.pointing(at: composition))
    }
    return first
  }

  /// In a stack an adapter of a linear layer reads the contribution of the one before.
  private func checkChains(_ nodes: [Setup.Node], _ composition: Composition) throws {
    for site in nodes.reduce(into: Set<Site>(), { $0.formUnion($1.sites) }).sorted() where site.place.isLinear {
      let acting = nodes.filter { $0.sites.contains(site) }
      guard acting.dropFirst().flatMap(\.leaves).allSatisfy({ $0.projectionAdapter(at: site)?.canFollow ?? true })
      else {
        throw Failure(
          .unsuitableBlock,
          "\(site.place.rawValue) of layer \(site.layer) is not square: an adapter there cannot read what another one adds",
          at: whole.pointing(at: composition))
      }
      guard acting.dropLast().allSatisfy({ $0.coversAllRows(at: site) }) else {
        throw Failure(
          .unsuitableBlock,
          "at \(site.place.rawValue) of layer \(site.layer) only some rows have an adapter for the next one to read",
          at: whole.pointing(at: composition),
          hint: "stack the adapters inside the block, one stack for each of its parts")
      }
    }
  }

  /// A fusion and a split work on what sublayers give, not on linear layers.
  private func checkSublayersOnly(_ sites: Set<Site>, _ composition: Composition) throws {
    guard sites.allSatisfy(\.place.isSublayer) else {
      throw Failure(
        .unsuitableBlock, "only bottleneck adapters can be fused and split, and some of these adapters act elsewhere",
        at: whole.pointing(at: composition),
        hint: "stack, batch_split, parallel and average accept them")
    }
  }

  /// As the Python library computes them: normalised weights are divided by the number of children once more, so that
  /// the average of an adapter with itself is half of it.
  private func shares(_ weights: [Double]?, count: Int, normalizes: Bool) -> [Float] {
    let weights = weights ?? Array(repeating: 1 / Double(count), count: count)
    let sum = normalizes ? weights.reduce(0, +) : 1
    return weights.map { Float($0 / sum / Double(count)) }
  }
}

extension Setup.Node {
  /// Whether every row of the batch meets an adapter of one linear layer.
  fileprivate func coversAllRows(at site: Site) -> Bool {
    guard case .route(let nodes, _) = self else { return true }
    return nodes.allSatisfy { $0.sites.contains(site) && $0.coversAllRows(at: site) }
  }
}
