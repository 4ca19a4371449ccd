import HubTensor
import HubTransformer

/// One pass over a composition at one linear layer. Fusions and splits never act here: a ``Setup`` refuses them
/// around adapters of linear layers.
struct ProjectionEvaluation {
  let site: Site
  let context: Context
  let router: Router
  let observer: ComposedAdapters.Observer

  /// What has become of a layer's rows.
  private enum State {
    /// What adapters add so far, and the one that ran last: it joins that with the layer's output. The projection has the
    /// rows that the contribution has: more than before, behind a `parallel`.
    case contribution(Tensor, by: any ProjectionAdapter, Projection)
    /// The layer's output, whose parts were joined in different ways.
    case output(Tensor)
  }

  /// The output of the layer with all its adapters, activation included.
  func result(of root: Setup.Node, _ projection: Projection) -> Tensor {
    let plain = Projection(projection.linear, of: projection.input, projection.sequences)
    if let leaf = root.only(at: site), let adapter = leaf.projectionAdapter(at: site) {
      return activated(adapter.applied(to: plain, gating(leaf, plain), in: context), projection.activation)
    }
    guard let state = run(root, nil, plain) else { return projection.applied(in: context) }
    return activated(joined(state) { plain.applied(in: context) }, projection.activation)
  }

  /// - Parameter output: that of the layer alone, for the rows that the state began with
  private func joined(_ state: State, with output: () -> Tensor) -> Tensor {
    switch state {
    case .output(let output): return output
    case .contribution(let contribution, let adapter, let projection):
      let output = output(), copies = contribution.rows / max(1, output.rows)
      return adapter.joined(
        contribution, with: copies > 1 ? context.repeated(output, copies) : output, of: projection, in: context)
    }
  }

  private func activated(_ x: Tensor, _ activation: Activation) -> Tensor {
    activation == .identity ? x : context.activate(x, activation)
  }

  private func gating(_ leaf: Setup.Leaf, _ projection: Projection) -> Gating {
    Gating(projection.sequences, observe: observer.gate.map { observe in { observe(leaf.name, site, $0) } })
  }

  private func run(_ node: Setup.Node, _ h: Tensor?, _ projection: Projection) -> State? {
    switch node {
    case .base, .fuse, .split: return nil
    case .adapter(let leaf):
      guard let adapter = leaf.projectionAdapter(at: site) else { return nil }
      return .contribution(
        adapter.contribution(h, to: projection, gating(leaf, projection), in: context), by: adapter, projection)
    case .stack(let nodes):
      return nodes.reduce(nil) { state, node in
        // Behind rows that are joined already no adapter stands: a setup is checked for that.
        guard case .contribution(let below, _, let projection)? = state else {
          return run(node, h, projection) ?? state
        }
        return run(node, below, projection) ?? state
      }
    case .batchSplit(let nodes, _), .multiTask(let nodes):
      return router.parts(of: node, projection.sequences).flatMap { route(nodes, h, projection, $0) }
    case .requests(let nodes, _):
      return router.parts(of: node, projection.sequences).flatMap {
        route(nodes, h, projection, $0, areIndependent: true)
      }
    case .parallel(let nodes): return parallel(nodes, h, projection)
    case .mix(let nodes, let mixing): return mix(nodes, mixing, h, projection)
    }
  }

  /// Each child works on its rows. The last adapter joins all of them, unless some have no adapter or one of another
  /// kind, or they are independent.
  private func route(
    _ nodes: [Setup.Node], _ h: Tensor?, _ projection: Projection, _ parts: [Routes.Part], areIndependent: Bool = false
  ) -> State? {
    let states = zip(nodes, parts).map { node, part in
      run(node, h.map { part.taken(from: $0, in: context) }, projection.part(part, in: context))
    }
    let contributions = states.compactMap { state -> (Tensor, any ProjectionAdapter)? in
      guard case .contribution(let contribution, let adapter, _)? = state else { return nil }
      return (contribution, adapter)
    }
    if let (first, _) = contributions.first, let (_, last) = contributions.last, contributions.count == parts.count,
      !areIndependent,
      contributions.allSatisfy({ $0.0.columns == first.columns && type(of: $0.1) == type(of: last) })
    {
      return .contribution(Routes.joined(contributions.map(\.0), parts, in: context), by: last, projection)
    }
    guard !states.allSatisfy({ $0 == nil }) else { return nil }
    let output = projection.applied(in: context)
    let results = zip(states, parts).map { state, part in
      let own = part.taken(from: output, in: context)
      return state.map { joined($0) { own } } ?? own
    }
    return .output(Routes.joined(results, parts, in: context))
  }

  /// The first site that a branch adapts multiplies the rows; behind it they are there. The linear layers of one
  /// attention read the same input, so that each multiplies its own.
  private func parallel(_ nodes: [Setup.Node], _ h: Tensor?, _ projection: Projection) -> State? {
    guard nodes.contains(where: { $0.sites.contains(site) }) else { return nil }
    let isMultiplied = projection.input.rows == nodes.count * router.sequences.rows
    let h = isMultiplied ? h : h.map { context.repeated($0, nodes.count) }
    let projection = isMultiplied ? projection : projection.repeated(nodes.count, in: context)
    return route(nodes, h, projection, Routes.copies(nodes.count, of: router.sequences))
  }

  private func mix(_ nodes: [Setup.Node], _ mixing: any Mixing, _ h: Tensor?, _ projection: Projection) -> State? {
    var parts: [(child: Int, value: Tensor)] = [], last: (any ProjectionAdapter)?
    for (index, node) in nodes.enumerated() {
      guard case .contribution(let contribution, let adapter, _)? = run(node, h, projection) else { continue }
      parts.append((index, contribution))
      last = adapter
    }
    return last.map { .contribution(mixing.mixed(parts, at: site, in: context), by: $0, projection) }
  }
}

extension Projection {
  fileprivate func part(_ part: Routes.Part, in context: Context) -> Projection {
    Projection(linear, of: part.taken(from: input, in: context), part.sequences)
  }

  fileprivate func repeated(_ copies: Int, in context: Context) -> Projection {
    Projection(linear, of: context.repeated(input, copies), sequences.repeated(copies))
  }
}

extension Setup.Node {
  /// The adapter that acts at a linear layer, if it is one alone and no block routes rows to it.
  fileprivate func only(at site: Site) -> Setup.Leaf? {
    switch self {
    case .adapter(let leaf): return leaf.sites.contains(site) ? leaf : nil
    case .stack(let nodes):
      let acting = nodes.filter { $0.sites.contains(site) }
      return acting.count == 1 ? acting[0].only(at: site) : nil
    default: return nil
    }
  }
}
