import HubModels
import HubTensor
import HubTransformer

/// A linear layer. In a stack an adapter reads what the one before contributes; the last joins that with the layer's
/// output.
struct ProjectionState: SiteState {
  private let projection: Projection
  private let progress: Progress

  /// What has become of the rows.
  private enum Progress {
    case untouched
    /// What adapters add so far, and the one that ran last.
    case contribution(Tensor, by: any ProjectionAdapter)
    /// The layer's output, whose parts were joined in different ways. No adapter follows: a setup is checked for that.
    case output(Tensor)
  }

  /// - Parameter projection: without its activation
  init(_ projection: Projection) { self.init(projection, .untouched) }

  private init(_ projection: Projection, _ progress: Progress) {
    (self.projection, self.progress) = (projection, progress)
  }

  var batch: Sequences { projection.batch }
  var copies: Int { projection.rows.copies }

  /// The output of the layer with its adapters.
  ///
  /// - Parameter plain: the layer as the walk began with it, so that rows which were multiplied since are computed once
  func result(_ plain: Projection, in context: Context) -> Tensor {
    if case .output(let output) = progress { return output }
    let whole = Rows(plain.applied(in: context), of: plain.batch)
    return joined(with: copies > whole.copies ? whole.repeated(to: copies, in: context).tensor : whole.tensor, context)
  }

  /// - Parameter output: that of the layer alone
  private func joined(with output: Tensor, _ context: Context) -> Tensor {
    switch progress {
    case .untouched: output
    case .output(let output): output
    case .contribution(let contribution, let adapter):
      adapter.joined(contribution, with: output, of: projection, in: context)
    }
  }

  private var contribution: (Tensor, by: any ProjectionAdapter)? {
    if case .contribution(let tensor, let adapter) = progress { (tensor, adapter) } else { nil }
  }

  func adapted(by leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self? {
    guard let adapter = leaf.projectionAdapter(at: evaluation.site) else { return nil }
    let contribution = adapter.contribution(
      contribution?.0, to: projection, evaluation.gating(leaf, projection.sequences), in: evaluation.context)
    return Self(projection, .contribution(contribution, by: adapter))
  }

  func taken(_ route: Route, in context: Context) -> Self {
    let input = Rows(route.taken(from: projection.input, in: context), of: route.sequences)
    return Self(Projection(projection.linear, of: input), progress { route.taken(from: $0, in: context) })
  }

  /// The linear layers of one attention read the same input, so that each multiplies its own.
  func repeated(_ copies: Int, in context: Context) -> Self {
    let input = projection.rows.repeated(to: copies, in: context)
    return Self(Projection(projection.linear, of: input), progress { context.repeated($0, copies) })
  }

  private func progress(_ change: (Tensor) -> Tensor) -> Progress {
    switch progress {
    case .untouched: .untouched
    case .contribution(let tensor, let adapter): .contribution(change(tensor), by: adapter)
    case .output(let tensor): .output(change(tensor))
    }
  }

  /// The last adapter joins all rows, unless some have no adapter or one of another kind, or they are independent.
  func joined(
    _ results: [Self?], _ routes: [Route], isIndependent: Bool, in evaluation: Evaluation<Self>
  ) -> Self {
    let context = evaluation.context, contributions = results.compactMap { $0?.contribution }
    if let (first, _) = contributions.first, let (_, last) = contributions.last, contributions.count == routes.count,
      !isIndependent,
      contributions.allSatisfy({ $0.0.columns == first.columns && type(of: $0.by) == type(of: last) })
    {
      return Self(projection, .contribution(Route.joined(contributions.map(\.0), routes, in: context), by: last))
    }
    let output = projection.applied(in: context)
    let outputs = zip(results, routes).map { result, route in
      let own = route.taken(from: output, in: context)
      return result?.joined(with: own, context) ?? own
    }
    return Self(projection, .output(Route.joined(outputs, routes, in: context)))
  }

  func mixed(_ results: [(child: Int, state: Self)], by mixing: any Mixing, in evaluation: Evaluation<Self>) -> Self {
    let parts = results.compactMap { result in
      result.state.contribution.map { (child: result.child, value: $0.0, adapter: $0.by) }
    }
    guard let last = parts.last else { return self }
    let mixed = mixing.mixed(parts.map { ($0.child, $0.value) }, at: evaluation.site, in: evaluation.context)
    return Self(projection, .contribution(mixed, by: last.adapter))
  }
}

extension Setup.Node {
  /// The adapter that acts at a linear layer, if it is one alone and no block routes rows to it.
  func only(at site: Site) -> Setup.Leaf? {
    switch self {
    case .adapter(let leaf): return leaf.sites.contains(site) ? leaf : nil
    case .stack(let nodes):
      let acting = nodes.filter { $0.sites.contains(site) }
      return acting.count == 1 ? acting[0].only(at: site) : nil
    default: return nil
    }
  }
}
