import HubTensor
import HubTransformer

/// One pass over a composition behind one layer. Fusions and splits never come here: a ``Setup`` refuses them around
/// adapters of layers.
struct LayerEvaluation {
  let layer: Int
  let context: Context
  let router: Router
  let kept: KeptTensors

  /// The rows that a node works on.
  fileprivate struct Rows {
    var output: Tensor
    var input: Tensor
    let sequences: Sequences
  }

  func result(of root: Setup.Node, _ output: Tensor, of input: Tensor) -> Tensor {
    whole(root, [], Rows(output: output, input: input, sequences: router.sequences)) ?? output
  }

  /// What a setup makes of its rows. Its first adapter may be one that has no place in a composition.
  private func whole(_ root: Setup.Node, _ path: [Int], _ rows: Rows) -> Tensor? {
    guard let first = root.first?.layerAdapter(at: layer), !first.composes else { return run(root, path, rows) }
    let changed = first(
      rows.output, of: rows.input, rows.sequences.repeated(toRows: rows.output.rows), keeping: &kept[path], in: context)
    return run(root, path, Rows(output: changed, input: rows.input, sequences: rows.sequences)) ?? changed
  }

  /// - Parameter path: the way to the node, by which its adapters find what they kept
  private func run(_ node: Setup.Node, _ path: [Int], _ rows: Rows) -> Tensor? {
    switch node {
    case .base, .fuse, .split: return nil
    case .adapter(let leaf):
      guard let adapter = leaf.layerAdapter(at: layer), adapter.composes else { return nil }
      return adapter(
        rows.output, of: rows.input, rows.sequences.repeated(toRows: rows.output.rows), keeping: &kept[path],
        in: context)
    case .stack(let nodes):
      return nodes.enumerated().reduce(nil) { result, node in
        run(node.element, path + [node.offset], rows.continued(with: result, in: context)) ?? result
      }
    case .batchSplit(let nodes, _), .multiTask(let nodes):
      return router.parts(of: node, rows.sequences).map { route(nodes, path, rows, $0, run) }
    case .requests(let nodes, _):
      return router.parts(of: node, rows.sequences).map { route(nodes, path, rows, $0, whole) }
    case .parallel(let nodes):
      guard nodes.contains(where: { $0.sites.contains(Site(layer, .layer)) }) else { return nil }
      let isMultiplied = rows.output.rows == nodes.count * router.sequences.rows
      return route(
        nodes, path, isMultiplied ? rows : rows.repeated(nodes.count, in: context),
        Routes.copies(nodes.count, of: router.sequences), run)
    case .mix(let nodes, let mixing): return mix(nodes, mixing, path, rows)
    }
  }

  private func route(
    _ nodes: [Setup.Node], _ path: [Int], _ rows: Rows, _ parts: [Routes.Part],
    _ run: (Setup.Node, [Int], Rows) -> Tensor?
  ) -> Tensor {
    let results = zip(nodes, parts).enumerated().map { index, child in
      let part = child.1, output = part.taken(from: rows.output, in: context)
      return run(
        child.0, path + [index],
        Rows(output: output, input: part.taken(from: rows.input, in: context), sequences: part.sequences)) ?? output
    }
    return Routes.joined(results, parts, in: context)
  }

  /// `x + Σ wᵢ (fᵢ(x) − x)` for an average: it is the changes that are mixed, whatever the weights add up to.
  private func mix(_ nodes: [Setup.Node], _ mixing: any Mixing, _ path: [Int], _ rows: Rows) -> Tensor? {
    let changes = nodes.enumerated().compactMap { index, node in
      run(node, path + [index], rows).map {
        (child: index, value: context.add($0, context.scaled(rows.output, by: -1)))
      }
    }
    return changes.isEmpty ? nil : context.add(rows.output, mixing.mixed(changes, at: Site(layer, .layer), in: context))
  }
}

extension LayerEvaluation.Rows {
  /// What the next adapter of a stack works on, when one before made `output` of it, perhaps in several copies.
  fileprivate func continued(with output: Tensor?, in context: Context) -> Self {
    guard let output else { return self }
    let copies = output.rows / max(1, input.rows)
    return Self(output: output, input: copies > 1 ? context.repeated(input, copies) : input, sequences: sequences)
  }

  fileprivate func repeated(_ copies: Int, in context: Context) -> Self {
    Self(output: context.repeated(output, copies), input: context.repeated(input, copies), sequences: sequences)
  }
}

/// What adapters of layers leave for their higher layers within a pass, by their place in the composition.
final class KeptTensors {
  private var tensors: [[Int]: [Int: Tensor]] = [:]

  subscript(path: [Int]) -> [Int: Tensor] {
    get { tensors[path] ?? [:] }
    set { tensors[path] = newValue }
  }

  func removeAll() { tensors.removeAll() }
}
