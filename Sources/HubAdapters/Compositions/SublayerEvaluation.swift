import HubTensor
import HubTransformer

/// A sublayer and the sequences of its rows. The rows may be several copies of the sequences.
struct Place {
  let sublayer: Sublayer
  let sequences: Sequences

  /// Some of the rows, which are these sequences.
  func part(_ route: Routes.Part, in context: Context) -> Place {
    Place(
      sublayer: Sublayer(
        output: route.taken(from: sublayer.output, in: context),
        residual: route.taken(from: sublayer.residual, in: context),
        layerInput: route.taken(from: sublayer.layerInput, in: context), norm: sublayer.norm),
      sequences: route.sequences)
  }

  func repeated(_ copies: Int, in context: Context) -> Place {
    Place(
      sublayer: Sublayer(
        output: context.repeated(sublayer.output, copies), residual: context.repeated(sublayer.residual, copies),
        layerInput: context.repeated(sublayer.layerInput, copies), norm: sublayer.norm),
      sequences: sequences)
  }
}

/// One pass over a composition at the end of one sublayer.
struct SublayerEvaluation {
  let site: Site
  let context: Context
  let router: Router
  let observer: ComposedAdapters.Observer

  /// How a result joins the residual stream.
  private indirect enum Join {
    /// As without adapters.
    case plainly
    /// As the adapter that ran last has it.
    case by(any SublayerAdapter)
    /// Rows that went different ways join in different ways.
    case parts([(Routes.Part, Join)])
  }

  private struct State {
    var h: Tensor
    var join: Join
    /// The rows that `h` has: more than before, behind a `parallel`.
    var place: Place
  }

  /// What the next sublayer reads.
  func result(of root: Setup.Node, _ place: Place) -> Tensor {
    guard let state = run(root, on: place.sublayer.output, at: place) else {
      return place.sublayer.joined(place.sublayer.output, in: context)
    }
    return joined(state.h, state.join, at: state.place)
  }

  private func joined(_ h: Tensor, _ join: Join, at place: Place) -> Tensor {
    switch join {
    case .plainly: return place.sublayer.joined(h, in: context)
    case .by(let adapter): return adapter.joined(h, in: place.sublayer, context)
    case .parts(let parts):
      let results = parts.map { joined($0.taken(from: h, in: context), $1, at: place.part($0, in: context)) }
      return Routes.joined(results, parts.map(\.0), in: context)
    }
  }

  /// What a node makes of `h`; `nil` if none of its adapters acts here.
  private func run(_ node: Setup.Node, on h: Tensor, at place: Place) -> State? {
    switch node {
    case .base: return nil
    case .adapter(let leaf):
      guard let adapter = leaf.sublayerAdapter(at: site) else { return nil }
      let prepared = adapter.prepared(h, in: place.sublayer, context)
      return State(
        h: adapter.output(prepared, gating(leaf, place.sequences.repeated(toRows: h.rows)), in: context),
        join: .by(adapter), place: place)
    case .stack(let nodes):
      return nodes.reduce(nil) { state, node in run(node, on: state?.h ?? h, at: state?.place ?? place) ?? state }
    case .fuse(let nodes, let fusion, let name): return fuse(nodes, fusion, name, on: h, at: place)
    case .parallel(let nodes): return parallel(nodes, on: h, at: place)
    case .mix(let nodes, let mixing): return mix(nodes, mixing, on: h, at: place)
    case .split(let nodes, _), .batchSplit(let nodes, _), .multiTask(let nodes):
      return router.parts(of: node, place.sequences).flatMap { route(nodes, on: h, at: place, $0) }
    case .requests(let nodes, _):
      return router.parts(of: node, place.sequences).flatMap {
        route(nodes, on: h, at: place, $0, areIndependent: true)
      }
    }
  }

  private func gating(_ leaf: Setup.Leaf, _ sequences: Sequences) -> Gating {
    Gating(sequences, observe: observer.gate.map { observe in { observe(leaf.name, site, $0) } })
  }

  /// The configuration of the last adapter that acts here prepares the input for all.
  private func fuse(
    _ nodes: [Setup.Node], _ fusion: AdapterFusion, _ name: String, on h: Tensor, at place: Place
  ) -> State? {
    guard let last = nodes.compactMap({ $0.last?.sublayerAdapter(at: site) }).last, let layer = fusion.layer(at: site)
    else { return nil }
    let prepared = last.prepared(h, in: place.sublayer, context)
    let contributions = nodes.compactMap { contribution(of: $0, prepared.input, at: place) }
    let mixed = layer(
      contributions, prepared, in: context, observe: observer.fusion.map { observe in { observe(name, site, $0) } })
    return State(h: mixed, join: .by(last), place: place)
  }

  /// What a fusion sees of one child. An adapter takes the common input as it is; a stack begins with it as if it were
  /// the sublayer's output, and counts by its last adapter.
  private func contribution(of node: Setup.Node, _ input: Tensor, at place: Place) -> Tensor? {
    guard let last = node.last?.sublayerAdapter(at: site) else { return nil }
    let sequences = place.sequences.repeated(toRows: input.rows)
    guard case .stack(let nodes) = node else { return last.contribution(input, sequences, in: context) }
    let below = run(.stack(Array(nodes.dropLast())), on: input, at: place)?.h ?? input
    return last.contribution(last.prepared(below, in: place.sublayer, context).input, sequences, in: context)
  }

  /// Each child works on its rows: of an input that the block's first adapter prepares for all, as in the Python library,
  /// or if they are independent on what it prepares itself.
  ///
  /// The last adapter decides for all rows how they join, unless some have no adapter or they are independent.
  private func route(
    _ nodes: [Setup.Node], on h: Tensor, at place: Place, _ parts: [Routes.Part], areIndependent: Bool = false
  ) -> State? {
    let common = areIndependent ? nil : prepared(nodes, h, place)
    let states = zip(nodes, parts).map { node, part in
      common.map { child(node, $0, part, at: place) }
        ?? run(node, on: part.taken(from: h, in: context), at: place.part(part, in: context))
    }
    guard let last = states.compactMap(\.self).last else { return nil }
    let results = zip(states, parts).map { state, part in state?.h ?? part.taken(from: h, in: context) }
    let isUniform = !areIndependent && states.allSatisfy { $0 != nil }
    let join = isUniform ? last.join : .parts(zip(parts, states).map { ($0, $1?.join ?? .plainly) })
    return State(h: Routes.joined(results, parts, in: context), join: join, place: place)
  }

  private func prepared(_ nodes: [Setup.Node], _ h: Tensor, _ place: Place) -> PreparedInput? {
    nodes.lazy.compactMap { $0.first?.sublayerAdapter(at: site) }.first?.prepared(h, in: place.sublayer, context)
  }

  /// An adapter takes its rows of the prepared input; a stack begins with them as if they were the sublayer's output.
  private func child(_ node: Setup.Node, _ prepared: PreparedInput, _ part: Routes.Part, at place: Place) -> State? {
    let input = part.taken(from: prepared.input, in: context)
    guard case .adapter(let leaf) = node else { return run(node, on: input, at: place.part(part, in: context)) }
    guard let adapter = leaf.sublayerAdapter(at: site) else { return nil }
    let own = PreparedInput(
      input: input, residual: part.taken(from: prepared.residual, in: context),
      raw: part.taken(from: prepared.raw, in: context))
    return State(
      h: adapter.output(own, gating(leaf, part.sequences.repeated(toRows: input.rows)), in: context),
      join: .by(adapter), place: place)
  }

  /// The first site that a branch adapts multiplies the rows; behind it they are there.
  private func parallel(_ nodes: [Setup.Node], on h: Tensor, at place: Place) -> State? {
    guard nodes.contains(where: { $0.sites.contains(site) }) else { return nil }
    let isMultiplied = h.rows == nodes.count * place.sequences.rows
    let h = isMultiplied ? h : context.repeated(h, nodes.count)
    let place = isMultiplied ? place : place.repeated(nodes.count, in: context)
    return route(nodes, on: h, at: place, Routes.copies(nodes.count, of: place.sequences))
  }

  private func mix(_ nodes: [Setup.Node], _ mixing: any Mixing, on h: Tensor, at place: Place) -> State? {
    guard let prepared = prepared(nodes, h, place) else { return nil }
    let whole = Routes.Part(
      rows: .range(0..<h.rows), sequences: place.sequences, indices: Array(0..<place.sequences.count))
    let states = nodes.enumerated().compactMap { index, node in
      child(node, prepared, whole, at: place).map { (child: index, state: $0) }
    }
    guard let last = states.last?.state else { return nil }
    return State(
      h: mixing.mixed(states.map { ($0.child, $0.state.h) }, at: site, in: context), join: last.join, place: place)
  }
}
