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
    func check(_ parts: [Int], _ count: Int, _ what: String) throws {
      guard parts.reduce(0, +) != count else { return }
      throw Failure(
        .wrongParts, "\(parts) adds up to \(parts.reduce(0, +)), and there are \(count) \(what)",
        at: setup.composition.description)
    }
    switch node {
    case .split(_, let tokens): try check(tokens, sequences.longest, "tokens in the longest sequence")
    case .batchSplit(_, let sizes), .requests(_, let sizes): try check(sizes, sequences.count, "sequences in the batch")
    case .multiTask(let nodes):
      guard tasks.count == sequences.count, tasks.allSatisfy(nodes.indices.contains) else {
        throw Failure(
          .wrongParts, "\(sequences.count) sequences need as many tasks between 0 and \(nodes.count - 1), not \(tasks)",
          at: setup.composition.description)
      }
    default: break
    }
    let parts = router.parts(of: node, sequences)
    for (index, child) in node.children.enumerated() { try checkParts(child, parts?[index].sequences ?? sequences) }
  }

  private var router: Router { Router(sequences: sequences, tasks: tasks) }

  public func lengthened(_ sequences: Sequences) -> Sequences { setup.lengthened(sequences) }

  public func virtualTokens(in context: Context) -> VirtualTokens? {
    setup.root.first?.method.promptAdapter?.virtualTokens(in: context)
  }

  /// As in the Python library, only the first adapter of a setup may change the embeddings; of requests that share the
  /// pass, the first of each.
  public func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    kept.removeAll()
    guard case .requests(let nodes, let sizes) = setup.root else {
      let first = setup.root.first?.method, changed = first?.embeddingAdapter.map { $0(x, in: context) } ?? x
      return first?.promptAdapter.map { $0.embedded(changed, sequences, in: context) } ?? changed
    }
    guard nodes.contains(where: { $0.first?.method.embeddingAdapter != nil }) else { return x }
    let parts = Routes.batchSplit(sequences, sizes)
    let results = zip(nodes, parts).map { node, part in
      let rows = part.taken(from: x, in: context)
      return node.first?.method.embeddingAdapter.map { $0(rows, in: context) } ?? rows
    }
    return Routes.joined(results, parts, in: context)
  }

  public func prefix(_ x: Tensor, _ sequences: Sequences, at site: Site, in context: Context) -> AttentionPrefixes? {
    guard setup.sites.contains(site), !skippedLayers.contains(site.layer) else { return nil }
    return PrefixEvaluation(site: site, context: context, router: router, observer: observer).run(
      setup.root, x, sequences)
  }

  public func layer(_ output: Tensor, of input: Tensor, at index: Int, in context: Context) -> Tensor {
    guard setup.sites.contains(Site(index, .layer)), !skippedLayers.contains(index) else { return output }
    return LayerEvaluation(layer: index, context: context, router: router, kept: kept).result(
      of: setup.root, output, of: input)
  }

  public func projected(_ projection: Projection, at site: Site, in context: Context) -> Tensor {
    guard setup.sites.contains(site), !skippedLayers.contains(site.layer) else {
      return projection.applied(in: context)
    }
    return ProjectionEvaluation(site: site, context: context, router: router, observer: observer).result(
      of: setup.root, projection)
  }

  public func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Tensor {
    guard setup.sites.contains(site), !skippedLayers.contains(site.layer) else {
      return sublayer.joined(sublayer.output, in: context)
    }
    let evaluation = SublayerEvaluation(site: site, context: context, router: router, observer: observer)
    return evaluation.result(of: setup.root, Place(sublayer: sublayer, sequences: sequences))
  }
}
