import HubModels
import HubTensor
import HubTransformer

/// The keys and values of an attention. Blocks that mix outputs never come here: a ``Setup`` refuses them around
/// prefixes.
struct PrefixState: SiteState {
  /// The input of the attention, which gates look at.
  private let x: Rows
  /// The prefixes so far.
  let prefixes: AttentionPrefixes?

  init(_ x: Rows, prefixes: AttentionPrefixes? = nil) { (self.x, self.prefixes) = (x, prefixes) }

  var batch: Sequences { x.batch }
  var copies: Int { x.copies }

  /// The prefix of the adapter that comes last stands first.
  func adapted(by leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self? {
    let adapter = leaf.prefixAdapter(at: evaluation.site), context = evaluation.context
    guard let own = adapter?(x.tensor, evaluation.gating(leaf, x.sequences), in: context) else { return nil }
    return Self(x, prefixes: prefixes.map { own.joined(with: $0, in: context) } ?? own)
  }

  func taken(_ route: Route, in context: Context) -> Self {
    let part = Rows(route.taken(from: x.tensor, in: context), of: route.sequences)
    return Self(part, prefixes: prefixes?.with(rows: { rows in route.indices.map { rows[$0] } }))
  }

  func repeated(_ copies: Int, in context: Context) -> Self {
    Self(
      x.repeated(to: copies, in: context),
      prefixes: prefixes?.with(rows: { rows in (0..<copies).flatMap { _ in rows } }))
  }

  /// Each part's prefixes before its sequences, and none where a part has none.
  func joined(
    _ results: [Self?], _ routes: [Route], isIndependent: Bool, in evaluation: Evaluation<Self>
  ) -> Self {
    let context = evaluation.context
    let parts = zip(results, routes).map { ($0 ?? taken($1, in: context)).prefixes }
    let present = parts.compactMap(\.self)
    var first = 0, rows = [Range<Int>](repeating: 0..<0, count: routes.reduce(0) { $0 + $1.indices.count })
    for (part, route) in zip(parts, routes) {
      guard let part else { continue }
      for (index, range) in zip(route.indices, part.rows) {
        rows[index] = first + range.lowerBound..<first + range.upperBound
      }
      first += part.keys.rows
    }
    return Self(
      x,
      prefixes: AttentionPrefixes(
        keys: context.stacked(present.map(\.keys)), values: context.stacked(present.map(\.values)), rows: rows))
  }

  func mixed(_ results: [(child: Int, state: Self)], by mixing: any Mixing, in evaluation: Evaluation<Self>) -> Self {
    self
  }
}

extension AttentionPrefixes {
  fileprivate func with(rows change: ([Range<Int>]) -> [Range<Int>]) -> AttentionPrefixes {
    AttentionPrefixes(keys: keys, values: values, rows: change(rows), scores: scores)
  }

  /// Both prefixes of each sequence.
  fileprivate func joined(with other: AttentionPrefixes, in context: Context) -> AttentionPrefixes {
    var joined: [Int] = [], lengths: [Int] = []
    for (first, second) in zip(rows, other.rows) {
      joined += first
      joined += second.map { $0 + keys.rows }
      lengths.append(first.count + second.count)
    }
    return AttentionPrefixes(
      keys: context.rows(context.stacked([keys, other.keys]), joined),
      values: context.rows(context.stacked([values, other.values]), joined), Sequences(lengths: lengths))
  }
}
