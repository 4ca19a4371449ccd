import HubModels
import HubTensor
import HubTransformer

/// The end of a sublayer.
struct SublayerState: SiteState {
  private let h: Tensor
  private let join: Join
  /// The rows that `h` has: more than before, after a `parallel`.
  private let sublayer: Sublayer
  /// What one of a block's children made of `h` for all of them.
  private var shared: PreparedInput?

  /// How a result joins the residual stream.
  private indirect enum Join {
    /// As without adapters.
    case plainly
    /// As the adapter that ran last has it.
    case by(any SublayerAdapter)
    /// Rows that went different ways join in different ways.
    case parts([(Route, Join)])
  }

  init(_ sublayer: Sublayer) { self.init(sublayer.output, .plainly, sublayer) }

  private init(_ h: Tensor, _ join: Join, _ sublayer: Sublayer, shared: PreparedInput? = nil) {
    (self.h, self.join, self.sublayer, self.shared) = (h, join, sublayer, shared)
  }

  var batch: Sequences { sublayer.batch }
  var copies: Int { Rows(h, of: batch).copies }

  /// What the next sublayer reads.
  func result(in context: Context) -> Rows { Rows(Self.joined(h, join, sublayer, in: context), of: batch) }

  private static func joined(_ h: Tensor, _ join: Join, _ sublayer: Sublayer, in context: Context) -> Tensor {
    switch join {
    case .plainly: return sublayer.joined(h, in: context)
    case .by(let adapter): return adapter.joined(h, in: sublayer, context)
    case .parts(let parts):
      let results = parts.map {
        joined($0.taken(from: h, in: context), $1, sublayer.taken($0, in: context), in: context)
      }
      return Route.joined(results, parts.map(\.0), in: context)
    }
  }

  func adapted(by leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self? {
    guard let adapter = leaf.sublayerAdapter(at: evaluation.site) else { return nil }
    let context = evaluation.context, input = shared ?? adapter.prepared(h, in: sublayer, context)
    let gating = evaluation.gating(leaf, Rows(input.input, of: batch).sequences)
    return Self(adapter.output(input, gating, in: context), .by(adapter), sublayer)
  }

  /// As in the Python library, the block's first adapter prepares the input for all.
  func prepared(for nodes: [Setup.Node], in evaluation: Evaluation<Self>) -> Self {
    let first = nodes.lazy.compactMap { $0.first?.sublayerAdapter(at: evaluation.site) }.first
    return Self(h, join, sublayer, shared: first?.prepared(h, in: sublayer, evaluation.context))
  }

  /// A block begins with its part of the prepared input as if it were the sublayer's output.
  func entered() -> Self { shared.map { Self($0.input, join, sublayer) } ?? self }

  func taken(_ route: Route, in context: Context) -> Self {
    Self(
      route.taken(from: h, in: context), join, sublayer.taken(route, in: context),
      shared: shared.map {
        PreparedInput(
          input: route.taken(from: $0.input, in: context), residual: route.taken(from: $0.residual, in: context),
          raw: route.taken(from: $0.raw, in: context))
      })
  }

  func repeated(_ copies: Int, in context: Context) -> Self {
    Self(
      context.repeated(h, copies), join,
      Sublayer(
        output: context.repeated(sublayer.output, copies), residual: context.repeated(sublayer.residual, copies),
        layerInput: context.repeated(sublayer.layerInput, copies), norm: sublayer.norm, of: batch))
  }

  /// The last adapter decides for all rows how they join, unless some have no adapter or they are independent.
  func joined(
    _ results: [Self?], _ routes: [Route], isIndependent: Bool, in evaluation: Evaluation<Self>
  ) -> Self {
    let context = evaluation.context
    let outputs = zip(results, routes).map { $0?.h ?? $1.taken(from: h, in: context) }
    let joined = Route.joined(outputs, routes, in: context)
    if !isIndependent, !results.contains(where: { $0 == nil }), let last = results.last ?? nil {
      return Self(joined, last.join, sublayer)
    }
    return Self(joined, .parts(zip(routes, results).map { ($0, $1?.join ?? .plainly) }), sublayer)
  }

  func mixed(_ results: [(child: Int, state: Self)], by mixing: any Mixing, in evaluation: Evaluation<Self>) -> Self {
    let mixed = mixing.mixed(
      results.map { ($0.child, $0.state.h) }, at: evaluation.site, in: evaluation.context)
    return Self(mixed, results.last?.state.join ?? join, sublayer)
  }

  /// The configuration of the last adapter that acts here prepares the input for all.
  func fused(_ nodes: [Setup.Node], _ fusion: AdapterFusion, _ name: String, in evaluation: Evaluation<Self>) -> Self? {
    let site = evaluation.site, context = evaluation.context
    guard let last = nodes.compactMap({ $0.last?.sublayerAdapter(at: site) }).last, let layer = fusion.layer(at: site)
    else { return nil }
    let prepared = last.prepared(h, in: sublayer, context)
    let contributions = nodes.compactMap { contribution(of: $0, prepared.input, in: evaluation) }
    let observe = evaluation.observer.fusion.map { observe in { observe(name, site, $0) } }
    return Self(layer(contributions, prepared, in: context, observe: observe), .by(last), sublayer)
  }

  /// What a fusion sees of one child. An adapter takes the common input as it is; a stack begins with it as if it were
  /// the sublayer's output, and counts by its last adapter.
  private func contribution(of node: Setup.Node, _ input: Tensor, in evaluation: Evaluation<Self>) -> Tensor? {
    let context = evaluation.context, sequences = Rows(input, of: batch).sequences
    guard let last = node.last?.sublayerAdapter(at: evaluation.site) else { return nil }
    guard case .stack(let nodes) = node else { return last.contribution(input, sequences, in: context) }
    let below = evaluation.run(.stack(Array(nodes.dropLast())), on: Self(input, join, sublayer))?.h ?? input
    return last.contribution(last.prepared(below, in: sublayer, context).input, sequences, in: context)
  }
}

extension Sublayer {
  /// Some of the rows.
  fileprivate func taken(_ route: Route, in context: Context) -> Sublayer {
    Sublayer(
      output: route.taken(from: output, in: context), residual: route.taken(from: residual, in: context),
      layerInput: route.taken(from: layerInput, in: context), norm: norm, of: route.sequences)
  }
}
