public import HubWords
public import HubTensor
public import HubModels
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
  /// Those that the layers see.
  private let sequences: Sequences
  private let skippedLayers: Set<Int>
  private let tasks: [Int]
  private let observer: Observer
  private let kept = KeptTensors()

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
  ///   - tasks: for a `multi_task` the number of each sequence's task
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongParts``.
  public init(
    _ setup: Setup, for sequences: Sequences, skippedLayers: Set<Int> = [], tasks: [Int] = [],
    observer: Observer = Observer()
  ) throws {
    self.setup = setup
    self.sequences = setup.lengthened(sequences)
    self.skippedLayers = skippedLayers
    self.tasks = tasks
    self.observer = observer
    try checkParts(setup.root, self.sequences)
  }

  private func checkParts(_ node: Setup.Node, _ sequences: Sequences) throws {
    guard case .route(let nodes, let routing) = node else {
      return try node.children.forEach { try checkParts($0, sequences) }
    }
    do {
      try routing.check(sequences, tasks: tasks)
    } catch let failure as Failure {
      throw failure.within(setup.composition.description)
    }
    for (child, route) in zip(nodes, routing.routes(sequences, tasks: tasks)) { try checkParts(child, route.sequences) }
  }

  public func lengthened(_ sequences: Sequences) -> Sequences { setup.lengthened(sequences) }

  public func virtualTokens(in context: Context) -> VirtualTokens? {
    setup.root.first?.method.promptAdapter?.virtualTokens(in: context)
  }

  /// As in the Python library, only the first adapter of a setup may change the embeddings; of requests that share the
  /// pass, the first of each.
  public func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    kept.removeAll()
    guard case .route(let nodes, let routing) = setup.root, routing.isIndependent else {
      let first = setup.root.first?.method, changed = first?.embeddingAdapter.map { $0(x, in: context) } ?? x
      return first?.promptAdapter.map { $0.embedded(changed, sequences, in: context) } ?? changed
    }
    guard nodes.contains(where: { $0.first?.method.embeddingAdapter != nil }) else { return x }
    let routes = routing.routes(sequences, tasks: tasks)
    let results = zip(nodes, routes).map { node, route in
      let rows = route.taken(from: x, in: context)
      return node.first?.method.embeddingAdapter.map { $0(rows, in: context) } ?? rows
    }
    return Route.joined(results, routes, in: context)
  }

  public func prefix(_ x: Rows, at site: Site, in context: Context) -> AttentionPrefixes? {
    guard acts(at: site) else { return nil }
    return evaluation(at: site, context).result(of: setup.root, on: PrefixState(x))?.prefixes
  }

  public func layer(_ output: Rows, of input: Rows, at index: Int, in context: Context) -> Rows {
    let site = Site(index, .layer)
    guard acts(at: site) else { return output }
    let state = LayerState(output, of: input, in: context)
    return evaluation(at: site, context).result(of: setup.root, on: state)?.output ?? output
  }

  public func projected(_ projection: Projection, at site: Site, in context: Context) -> Rows {
    guard acts(at: site) else { return projection.rows.with(projection.applied(in: context)) }
    let plain = Projection(projection.linear, of: projection.rows)
    let evaluation: Evaluation<ProjectionState> = evaluation(at: site, context), output: Tensor
    if let leaf = setup.root.only(at: site), let adapter = leaf.projectionAdapter(at: site) {
      output = adapter.applied(to: plain, evaluation.gating(leaf, plain.sequences), in: context)
    } else if let state = evaluation.result(of: setup.root, on: ProjectionState(plain)) {
      output = state.result(plain, in: context)
    } else {
      return projection.rows.with(projection.applied(in: context))
    }
    let isPlain = projection.activation == .identity
    return projection.rows.with(isPlain ? output : context.activate(output, projection.activation))
  }

  public func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Rows {
    let state = SublayerState(sublayer)
    guard acts(at: site) else { return state.result(in: context) }
    return (evaluation(at: site, context).result(of: setup.root, on: state) ?? state).result(in: context)
  }

  public func isUniform(at site: Site) -> Bool { !acts(at: site) || !setup.root.routes }

  private func acts(at site: Site) -> Bool { setup.sites.contains(site) && !skippedLayers.contains(site.layer) }

  private func evaluation<State>(at site: Site, _ context: Context) -> Evaluation<State> {
    Evaluation(site: site, context: context, tasks: tasks, observer: observer, kept: kept)
  }
}
