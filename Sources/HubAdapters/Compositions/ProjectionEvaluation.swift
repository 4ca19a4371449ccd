import HubTensor
import HubTransformer

/// One pass over a composition at one linear layer. Fusions and splits never come here: a ``Setup`` refuses them
/// around adapters of linear layers.
struct ProjectionEvaluation {
  let site: Site
  let context: Context
  /// Those of the batch; the rows may be several copies of them.
  let sequences: Sequences
  let observer: ComposedAdapters.Observer

  private struct State {
    /// The contribution so far.
    var h: Tensor
    /// The adapter that ran last; it joins the contribution with the layer's output.
    var last: any ProjectionAdapter
    /// With the rows that `h` has: more than before, behind a `parallel`.
    var projection: Projection
  }

  /// The output of the layer with all its adapters, activation included.
  func result(of root: Setup.Node, _ projection: Projection) -> Tensor {
    let plain = Projection(projection.linear, of: projection.input, projection.sequences)
    if let (adapter, name) = root.only(at: site) {
      return activated(adapter.applied(to: plain.applied(in: context), of: plain, gating(name, plain), in: context), projection.activation)
    }
    guard let state = run(root, nil, plain) else { return projection.applied(in: context) }
    let output = plain.applied(in: context)
    let copies = state.h.rows / max(1, output.rows)
    let joined = state.last.joined(
      state.h, with: copies > 1 ? context.repeated(output, copies) : output, of: state.projection, in: context)
    return activated(joined, projection.activation)
  }

  private func activated(_ x: Tensor, _ activation: Activation) -> Tensor { activation == .identity ? x : context.activate(x, activation) }

  private func gating(_ adapter: String, _ projection: Projection) -> Gating {
    Gating(projection.sequences, observe: observer.gate.map { observe in { observe(adapter, site, $0) } })
  }

  private func run(_ node: Setup.Node, _ h: Tensor?, _ projection: Projection) -> State? {
    switch node {
    case .adapter(let method, let name):
      guard let adapter = method.projectionAdapter(at: site) else { return nil }
      let contribution = adapter.contribution(h, to: projection, gating(name, projection), in: context)
      return State(h: contribution, last: adapter, projection: projection)
    case .stack(let nodes):
      return nodes.reduce(nil) { state, node in run(node, state?.h ?? h, state?.projection ?? projection) ?? state }
    case .batchSplit(let nodes, let sizes):
      return route(nodes, h, projection, Routes.batchSplit(projection.sequences, sizes))
    case .parallel(let nodes):
      return parallel(nodes, h, projection)
    case .average(let nodes, let weights):
      return average(nodes, weights, h, projection)
    case .fuse, .split:
      return nil
    }
  }

  private func route(_ nodes: [Setup.Node], _ h: Tensor?, _ projection: Projection, _ parts: [Routes.Part]) -> State? {
    let states = zip(nodes, parts).compactMap { node, part in
      run(node, h.map { part.taken(from: $0, in: context) }, projection.part(part, in: context))
    }
    guard states.count == parts.count, let last = states.last?.last else { return nil }
    return State(h: Routes.joined(states.map(\.h), parts, in: context), last: last, projection: projection)
  }

  /// The first site that a branch adapts multiplies the rows; behind it they are there. The linear layers of one
  /// attention read the same input, so that each multiplies its own.
  private func parallel(_ nodes: [Setup.Node], _ h: Tensor?, _ projection: Projection) -> State? {
    guard nodes.contains(where: { $0.sites.contains(site) }) else { return nil }
    let isMultiplied = projection.input.rows == nodes.count * sequences.rows
    let h = isMultiplied ? h : h.map { context.repeated($0, nodes.count) }
    let projection = isMultiplied ? projection : projection.repeated(nodes.count, in: context)
    return route(nodes, h, projection, Routes.copies(nodes.count, of: sequences))
  }

  private func average(_ nodes: [Setup.Node], _ weights: [Float], _ h: Tensor?, _ projection: Projection) -> State? {
    var sum: State?
    for (node, weight) in zip(nodes, weights) {
      guard var state = run(node, h, projection) else { continue }
      state.h = context.scaled(state.h, by: weight)
      if let sum { state.h = context.add(sum.h, state.h) }
      sum = state
    }
    return sum
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
  fileprivate func only(at site: Site) -> (adapter: any ProjectionAdapter, name: String)? {
    switch self {
    case .adapter(let method, let name): return method.projectionAdapter(at: site).map { ($0, name) }
    case .stack(let nodes):
      let acting = nodes.filter { $0.sites.contains(site) }
      return acting.count == 1 ? acting[0].only(at: site) : nil
    default: return nil
    }
  }
}
