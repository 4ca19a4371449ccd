import HubModels
import HubTensor
import HubTransformer

/// The end of a layer. Fusions and splits never come here: a ``Setup`` refuses them around adapters of layers.
struct LayerState: SiteState {
  let output: Rows
  /// What went into the layer, in as many copies.
  private let input: Rows

  init(_ output: Rows, of input: Rows, in context: Context) {
    self.output = output
    self.input = input.repeated(to: output.copies, in: context)
  }

  var batch: Sequences { output.batch }
  var copies: Int { output.copies }

  func adapted(by leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self? {
    guard let adapter = leaf.layerAdapter(at: evaluation.site.layer), adapter.composes else { return nil }
    return applied(adapter, at: path, in: evaluation)
  }

  /// An adapter that has no place in a composition acts on all rows, if it is a setup's first.
  func begun(with leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self? {
    guard let adapter = leaf.layerAdapter(at: evaluation.site.layer), !adapter.composes else { return nil }
    return applied(adapter, at: path, in: evaluation)
  }

  private func applied(_ adapter: any LayerAdapter, at path: [Int], in evaluation: Evaluation<Self>) -> Self {
    let context = evaluation.context
    let changed = adapter(
      output.tensor, of: input.tensor, output.sequences, keeping: &evaluation.kept[path], in: context)
    return Self(output.with(changed), of: input, in: context)
  }

  func taken(_ route: Route, in context: Context) -> Self {
    Self(
      Rows(route.taken(from: output.tensor, in: context), of: route.sequences),
      of: Rows(route.taken(from: input.tensor, in: context), of: route.sequences), in: context)
  }

  func repeated(_ copies: Int, in context: Context) -> Self {
    Self(output.repeated(to: copies, in: context), of: input, in: context)
  }

  func joined(
    _ results: [Self?], _ routes: [Route], isIndependent: Bool, in evaluation: Evaluation<Self>
  ) -> Self {
    let context = evaluation.context
    let outputs = zip(results, routes).map { ($0 ?? taken($1, in: context)).output.tensor }
    return Self(output.with(Route.joined(outputs, routes, in: context)), of: input, in: context)
  }

  /// `x + Σ wᵢ (fᵢ(x) − x)` for an average: it is the changes that are mixed, whatever the weights add up to.
  func mixed(_ results: [(child: Int, state: Self)], by mixing: any Mixing, in evaluation: Evaluation<Self>) -> Self {
    let context = evaluation.context, x = output.tensor
    let changes = results.map { result in
      (child: result.child, value: context.add(result.state.output.tensor, context.scaled(x, by: -1)))
    }
    let mixed = context.add(x, mixing.mixed(changes, at: evaluation.site, in: context))
    return Self(output.with(mixed), of: input, in: context)
  }
}
