import HubTensor
import HubTransformer

/// One pass over a composition at the keys and values of one attention. Blocks that mix outputs never come here: a
/// ``Setup`` refuses them around prefixes.
struct PrefixEvaluation {
  let site: Site
  let context: Context
  let router: Router
  let observer: ComposedAdapters.Observer

  /// - Parameter x: the input of the attention, which gates look at; the rows of `sequences`
  func run(_ node: Setup.Node, _ x: Tensor, _ sequences: Sequences) -> AttentionPrefixes? {
    switch node {
    case .base: return nil
    case .adapter(let leaf):
      let gating = Gating(sequences, observe: observer.gate.map { observe in { observe(leaf.name, site, $0) } })
      return leaf.prefixAdapter(at: site.layer)?(x, gating, in: context)
    case .stack(let nodes):
      return nodes.reduce(nil) { prefix, node in
        guard let next = run(node, x, sequences) else { return prefix }
        return prefix.map { joined(next, $0) } ?? next
      }
    case .batchSplit(let nodes, _), .multiTask(let nodes), .requests(let nodes, _):
      return router.parts(of: node, sequences).flatMap { route(nodes, x, $0) }
    case .parallel(let nodes):
      let isMultiplied = x.rows == nodes.count * router.sequences.rows
      return route(
        nodes, isMultiplied ? x : context.repeated(x, nodes.count), Routes.copies(nodes.count, of: router.sequences))
    case .fuse, .split, .mix:
      return nil
    }
  }

  /// Each part's prefixes before its sequences, and none where a part has none.
  private func route(_ nodes: [Setup.Node], _ x: Tensor, _ parts: [Routes.Part]) -> AttentionPrefixes? {
    let prefixes = zip(nodes, parts).map { run($0, $1.taken(from: x, in: context), $1.sequences) }
    guard !prefixes.allSatisfy({ $0 == nil }) else { return nil }
    let present = prefixes.compactMap(\.self)
    var first = 0, rows = [Range<Int>](repeating: 0..<0, count: parts.reduce(0) { $0 + $1.indices.count })
    for (prefix, part) in zip(prefixes, parts) {
      guard let prefix else { continue }
      for (index, range) in zip(part.indices, prefix.rows) {
        rows[index] = first + range.lowerBound..<first + range.upperBound
      }
      first += prefix.keys.rows
    }
    return AttentionPrefixes(
      keys: context.stacked(present.map(\.keys)), values: context.stacked(present.map(\.values)), rows: rows)
  }

  /// Both prefixes of each sequence.
  private func joined(_ left: AttentionPrefixes, _ right: AttentionPrefixes) -> AttentionPrefixes {
    var rows: [Int] = [], lengths: [Int] = []
    for index in left.rows.indices {
      let first = left.rows[index], second = right.rows[index]
      rows += first
      rows += second.map { $0 + left.keys.rows }
      lengths.append(first.count + second.count)
    }
    return AttentionPrefixes(
      keys: context.rows(context.stacked([left.keys, right.keys]), rows),
      values: context.rows(context.stacked([left.values, right.values]), rows),
      Sequences(lengths: lengths))
  }
}
