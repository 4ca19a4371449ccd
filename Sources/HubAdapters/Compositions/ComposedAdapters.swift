public import HubManifest
public import HubTensor
public import HubTransformer

extension Failure.Code {
  /// The parts of a `split` or `batch_split` do not add up to what there is.
  public static let wrongParts = Self("setup/parts", .usage)
}

/// Runs a ``Setup`` at the sites of a base model: the one place where compositions are evaluated. Methods know
/// nothing of it, so every method works in every composition.
///
/// Blocks that route are choices of row ranges. A `parallel` multiplies the rows at the first site where one of its
/// adapters acts: what lies below is computed once for all branches.
public struct ComposedAdapters: Interventions {
  private let setup: Setup
  private let sequences: Sequences
  private let skippedLayers: Set<Int>
  private let observer: Observer

  /// Who wants to know what attention and gates a pass came to.
  public struct Observer {
    /// Is given the attention of each fusion: its name, the site, `[rows, adapters]`.
    public var fusion: ((_ fusion: String, _ site: Site, _ attention: Tensor) -> Void)?
    /// Is given what each gate lets through: the adapter, the site, `[sequences, gates]`.
    public var gate: ((_ adapter: String, _ site: Site, _ shares: Tensor) -> Void)?

    public init() {}
  }

  /// - Parameters:
  ///   - sequences: those of the batch
  ///   - skippedLayers: layers that run without adapters (AdapterDrop, Rücklé et al. 2021)
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongParts``.
  public init(_ setup: Setup, for sequences: Sequences, skippedLayers: Set<Int> = [], observer: Observer = Observer()) throws {
    self.setup = setup
    self.sequences = sequences
    self.skippedLayers = skippedLayers
    self.observer = observer
    try Self.checkParts(setup.root, sequences, setup.composition)
  }

  private static func checkParts(_ node: Setup.Node, _ sequences: Sequences, _ composition: Composition) throws {
    func refuse(_ parts: [Int], _ what: String, _ count: Int) -> Failure {
      Failure(.wrongParts, "\(parts) adds up to \(parts.reduce(0, +)), and there are \(count) \(what)", at: composition.description)
    }
    switch node {
    case .split(let nodes, let tokens):
      let longest = sequences.longest
      guard tokens.reduce(0, +) == longest else { throw refuse(tokens, "tokens in the longest sequence", longest) }
      for (node, part) in zip(nodes, Routes.split(sequences, tokens)) { try checkParts(node, part.sequences, composition) }
    case .batchSplit(let nodes, let sizes):
      guard sizes.reduce(0, +) == sequences.count else { throw refuse(sizes, "sequences in the batch", sequences.count) }
      for (node, part) in zip(nodes, Routes.batchSplit(sequences, sizes)) { try checkParts(node, part.sequences, composition) }
    default:
      for child in node.children { try checkParts(child, sequences, composition) }
    }
  }

  /// As in the Python library, only the first adapter of a setup may change the embeddings.
  public func embedded(_ x: Tensor, in context: Context) -> Tensor {
    setup.root.first?.embeddingAdapter.map { $0(x, in: context) } ?? x
  }

  public func prefix(_ x: Tensor, _ sequences: Sequences, at site: Site, in context: Context) -> AttentionPrefixes? {
    guard setup.sites.contains(site), !skippedLayers.contains(site.layer) else { return nil }
    return PrefixEvaluation(site: site, context: context, sequences: self.sequences, observer: observer).run(setup.root, x, sequences)
  }

  /// As in the Python library, only the first adapter of a setup may act behind a layer.
  public func layer(_ output: Tensor, at index: Int, in context: Context) -> Tensor {
    guard !skippedLayers.contains(index), let adapter = setup.root.first?.layerAdapter(at: index) else { return output }
    return adapter(output, sequences.repeated(toRows: output.rows), in: context)
  }

  public func projected(_ projection: Projection, at site: Site, in context: Context) -> Tensor {
    guard setup.sites.contains(site), !skippedLayers.contains(site.layer) else { return projection.applied(in: context) }
    return ProjectionEvaluation(site: site, context: context, sequences: sequences, observer: observer).result(of: setup.root, projection)
  }

  public func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Tensor {
    let evaluation = Evaluation(site: site, context: context, observer: observer)
    let place = Place(sublayer: sublayer, sequences: sequences)
    guard setup.sites.contains(site), !skippedLayers.contains(site.layer), let state = evaluation.run(setup.root, on: sublayer.output, at: place) else {
      return sublayer.joined(sublayer.output, in: context)
    }
    return state.last.joined(state.h, in: state.place.sublayer, context)
  }
}

/// A sublayer and the sequences of its rows. The rows may be several copies of the sequences.
struct Place {
  let sublayer: Sublayer
  let sequences: Sequences

  /// Some of the rows, which are these sequences.
  func part(_ route: Routes.Part, in context: Context) -> Place {
    Place(
      sublayer: Sublayer(
        output: route.taken(from: sublayer.output, in: context), residual: route.taken(from: sublayer.residual, in: context), norm: sublayer.norm),
      sequences: route.sequences)
  }

  func repeated(_ copies: Int, in context: Context) -> Place {
    Place(
      sublayer: Sublayer(
        output: context.repeated(sublayer.output, copies), residual: context.repeated(sublayer.residual, copies), norm: sublayer.norm),
      sequences: sequences)
  }
}

/// One pass over a composition at one site.
private struct Evaluation {
  let site: Site
  let context: Context
  let observer: ComposedAdapters.Observer

  struct State {
    var h: Tensor
    /// The adapter that ran last; it decides how the result joins the residual stream.
    var last: any SublayerAdapter
    /// The rows that `h` has: more than before, behind a `parallel`.
    var place: Place
  }

  /// What a node makes of `h`; `nil` if none of its adapters acts here.
  func run(_ node: Setup.Node, on h: Tensor, at place: Place) -> State? {
    switch node {
    case .adapter(let method, let name):
      guard let adapter = method.sublayerAdapter(at: site) else { return nil }
      let prepared = adapter.prepared(h, in: place.sublayer, context)
      return State(h: adapter.output(prepared, gating(name, place.sequences.repeated(toRows: h.rows)), in: context), last: adapter, place: place)
    case .stack(let nodes):
      return nodes.reduce(nil) { state, node in run(node, on: state?.h ?? h, at: state?.place ?? place) ?? state }
    case .fuse(let nodes, let fusion, let name):
      return fuse(nodes, fusion, name, on: h, at: place)
    case .split(let nodes, let tokens):
      return route(nodes, on: h, at: place, Routes.split(place.sequences, tokens))
    case .batchSplit(let nodes, let sizes):
      return route(nodes, on: h, at: place, Routes.batchSplit(place.sequences, sizes))
    case .parallel(let nodes):
      return parallel(nodes, on: h, at: place)
    case .average(let nodes, let weights):
      return average(nodes, weights, on: h, at: place)
    }
  }

  private func gating(_ adapter: String, _ sequences: Sequences) -> Gating {
    Gating(sequences, observe: observer.gate.map { observe in { observe(adapter, site, $0) } })
  }

  /// The last adapter's configuration prepares the input for all.
  private func fuse(_ nodes: [Setup.Node], _ fusion: AdapterFusion, _ name: String, on h: Tensor, at place: Place) -> State? {
    guard let last = nodes.last?.last?.sublayerAdapter(at: site), let layer = fusion.layer(at: site) else { return nil }
    let prepared = last.prepared(h, in: place.sublayer, context)
    let contributions = nodes.compactMap { contribution(of: $0, prepared.input, at: place) }
    let mixed = layer(contributions, prepared, in: context, observe: observer.fusion.map { observe in { observe(name, site, $0) } })
    return State(h: mixed, last: last, place: place)
  }

  /// What a fusion sees of one child. An adapter takes the common input as it is; a stack begins with it as if it were
  /// the sublayer's output, and counts by its last adapter.
  private func contribution(of node: Setup.Node, _ input: Tensor, at place: Place) -> Tensor? {
    guard let last = node.last?.sublayerAdapter(at: site) else { return nil }
    guard case .stack(let nodes) = node else { return last.contribution(input, in: context) }
    let below = run(.stack(Array(nodes.dropLast())), on: input, at: place)?.h ?? input
    return last.contribution(last.prepared(below, in: place.sublayer, context).input, in: context)
  }

  /// Each child works on its rows of an input that the block's first adapter prepares for all.
  private func route(_ nodes: [Setup.Node], on h: Tensor, at place: Place, _ parts: [Routes.Part]) -> State? {
    guard let prepared = prepared(nodes, h, place) else { return nil }
    var results: [Tensor] = [], last: (any SublayerAdapter)?
    for (node, part) in zip(nodes, parts) {
      let state = child(node, prepared, part, at: place)
      results.append(state?.h ?? part.taken(from: h, in: context))
      last = state?.last ?? last
    }
    return last.map { State(h: Routes.joined(results, parts, in: context), last: $0, place: place) }
  }

  private func prepared(_ nodes: [Setup.Node], _ h: Tensor, _ place: Place) -> PreparedInput? {
    nodes.first?.first?.sublayerAdapter(at: site)?.prepared(h, in: place.sublayer, context)
  }

  /// An adapter takes its rows of the prepared input; a stack begins with them as if they were the sublayer's output.
  private func child(_ node: Setup.Node, _ prepared: PreparedInput, _ part: Routes.Part, at place: Place) -> State? {
    let input = part.taken(from: prepared.input, in: context)
    guard case .adapter(let method, let name) = node else { return run(node, on: input, at: place.part(part, in: context)) }
    guard let adapter = method.sublayerAdapter(at: site) else { return nil }
    let own = PreparedInput(input: input, residual: part.taken(from: prepared.residual, in: context), raw: part.taken(from: prepared.raw, in: context))
    return State(h: adapter.output(own, gating(name, part.sequences.repeated(toRows: input.rows)), in: context), last: adapter, place: place)
  }

  /// The first site that a branch adapts multiplies the rows; behind it they are there.
  private func parallel(_ nodes: [Setup.Node], on h: Tensor, at place: Place) -> State? {
    guard nodes.contains(where: { $0.sites.contains(site) }) else { return nil }
    let isMultiplied = h.rows == nodes.count * place.sequences.rows
    let h = isMultiplied ? h : context.repeated(h, nodes.count)
    let place = isMultiplied ? place : place.repeated(nodes.count, in: context)
    return route(nodes, on: h, at: place, Routes.copies(nodes.count, of: place.sequences))
  }

  private func average(_ nodes: [Setup.Node], _ weights: [Float], on h: Tensor, at place: Place) -> State? {
    guard let prepared = prepared(nodes, h, place) else { return nil }
    let whole = Routes.Part(rows: .range(0..<h.rows), sequences: place.sequences)
    var sum: Tensor?, last: (any SublayerAdapter)?
    for (node, weight) in zip(nodes, weights) {
      guard let state = child(node, prepared, whole, at: place) else { continue }
      let share = context.scaled(state.h, by: weight)
      sum = sum.map { context.add($0, share) } ?? share
      last = state.last
    }
    guard let sum, let last else { return nil }
    return State(h: sum, last: last, place: place)
  }
}
