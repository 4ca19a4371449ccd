public import HubTensor
public import HubTransformer

/// Runs a ``Setup`` at the sites of a base model: the one place where compositions are evaluated. Methods know
/// nothing of it, so every method works in every composition.
public struct ComposedAdapters: Interventions {
  private let setup: Setup
  private let skippedLayers: Set<Int>
  private let observeFusion: FusionObserver?

  /// Is given the attention of each fusion: its name, the site, `[rows, adapters]`.
  public typealias FusionObserver = (_ fusion: String, _ site: Site, _ attention: Tensor) -> Void

  /// - Parameter skippedLayers: layers that run without adapters (AdapterDrop, Rücklé et al. 2021)
  public init(_ setup: Setup, skippedLayers: Set<Int> = [], observeFusion: FusionObserver? = nil) {
    self.setup = setup
    self.skippedLayers = skippedLayers
    self.observeFusion = observeFusion
  }

  /// As in the Python library, only the first adapter of a setup may change the embeddings.
  public func embedded(_ x: Tensor, in context: Context) -> Tensor {
    setup.root.first?.embeddingAdapter.map { $0(x, in: context) } ?? x
  }

  public func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Tensor {
    let evaluation = Evaluation(sublayer: sublayer, site: site, context: context, observeFusion: observeFusion)
    guard !skippedLayers.contains(site.layer), let state = evaluation.run(setup.root, on: sublayer.output) else {
      return sublayer.joined(sublayer.output, in: context)
    }
    return state.last.joined(state.h, in: sublayer, context)
  }
}

/// One pass over a composition at one site.
private struct Evaluation {
  let sublayer: Sublayer
  let site: Site
  let context: Context
  let observeFusion: ComposedAdapters.FusionObserver?

  struct State {
    var h: Tensor
    /// The adapter that ran last; it decides how the result joins the residual stream.
    var last: any SublayerAdapter
  }

  /// What a node makes of `h`; `nil` if none of its adapters acts here.
  func run(_ node: Setup.Node, on h: Tensor) -> State? {
    switch node {
    case .adapter(let method):
      guard let adapter = method.sublayerAdapter(at: site) else { return nil }
      return State(h: adapter.output(adapter.prepared(h, in: sublayer, context), in: context), last: adapter)
    case .stack(let nodes):
      return nodes.reduce(nil) { state, node in run(node, on: state?.h ?? h) ?? state }
    case .fuse(let nodes, let fusion, let name):
      return fuse(nodes, fusion, name, on: h)
    }
  }

  /// The last adapter's configuration prepares the input for all.
  private func fuse(_ nodes: [Setup.Node], _ fusion: AdapterFusion, _ name: String, on h: Tensor) -> State? {
    guard let last = nodes.last?.last?.sublayerAdapter(at: site), let layer = fusion.layer(at: site) else { return nil }
    let prepared = last.prepared(h, in: sublayer, context)
    let contributions = nodes.compactMap { contribution(of: $0, prepared.input) }
    let mixed = layer(contributions, prepared, in: context, observe: observeFusion.map { observe in { observe(name, site, $0) } })
    return State(h: mixed, last: last)
  }

  /// What a fusion sees of one child. An adapter takes the common input as it is; a stack begins with it as if it were
  /// the sublayer's output, and counts by its last adapter.
  private func contribution(of node: Setup.Node, _ input: Tensor) -> Tensor? {
    switch node {
    case .adapter(let method):
      return method.sublayerAdapter(at: site)?.contribution(input, in: context)
    case .stack(let nodes):
      guard let last = nodes.last?.last?.sublayerAdapter(at: site) else { return nil }
      let below = run(.stack(Array(nodes.dropLast())), on: input)?.h ?? input
      return last.contribution(last.prepared(below, in: sublayer, context).input, in: context)
    case .fuse:
      return nil
    }
  }
}
