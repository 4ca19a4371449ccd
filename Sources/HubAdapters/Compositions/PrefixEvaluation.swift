import HubTensor
import HubTransformer

/// One pass over a composition at the keys and values of one attention. Blocks that mix outputs never come here: a
/// ``Setup`` refuses them around prefixes.
struct PrefixEvaluation {
  let site: Site
  let context: Context
  /// Those of the batch; the rows may be several copies of them.
  let sequences: Sequences
  let observer: ComposedAdapters.Observer

  /// - Parameter x: the input of the attention, which gates look at; the rows of `sequences`
  func run(_ node: Setup.Node, _ x: Tensor, _ sequences: Sequences) -> AttentionPrefixes? {
    switch node {
    case .adapter(let method, let name):
      let gating = Gating(sequences, observe: observer.gate.map { observe in { observe(name, site, $0) } })
      return method.prefixAdapter(at: site.layer)?(x, gating, in: context)
    case .stack(let nodes):
      return nodes.reduce(nil) { prefix, node in
        guard let next = run(node, x, sequences) else { return prefix }
        return prefix.map { joined(next, $0) } ?? next
      }
    case .batchSplit(let nodes, let sizes):
      return route(nodes, x, Routes.batchSplit(sequences, sizes))
    case .parallel(let nodes):
      let isMultiplied = x.rows == nodes.count * self.sequences.rows
      return route(nodes, isMultiplied ? x : context.repeated(x, nodes.count), Routes.copies(nodes.count, of: self.sequences))
    case .fuse, .split, .average:
      return nil
    }
  }

  private func route(_ nodes: [Setup.Node], _ x: Tensor, _ parts: [Routes.Part]) -> AttentionPrefixes? {
    let prefixes = zip(nodes, parts).compactMap { run($0, $1.taken(from: x, in: context), $1.sequences) }
    guard !prefixes.isEmpty, prefixes.count == nodes.count else { return nil }
    return AttentionPrefixes(
      keys: context.stacked(prefixes.map(\.keys)), values: context.stacked(prefixes.map(\.values)),
      Sequences(lengths: prefixes.flatMap { prefix in prefix.rows.map(\.count) }))
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
      keys: context.rows(context.stacked([left.keys, right.keys]), rows), values: context.rows(context.stacked([left.values, right.values]), rows),
      Sequences(lengths: lengths))
  }
}
