import HubModels
import HubTensor

/// Queries, keys and values, attention, and what its output goes through; of a layer's own rows, or of a decoder's over
/// an encoder's states.
struct AttentionLayer: Sendable {
  private let index: Int
  private let places: Places
  let form: AttentionForm
  let query, key: Linear
  private let value, output: Linear

  /// Where adapters meet it.
  struct Places: Sendable {
    let query, key, value, prefix, output: Site.Place

    static let own = Places(query: .query, key: .key, value: .value, prefix: .prefix, output: .attentionOutput)
    static let crossing = Places(
      query: .crossQuery, key: .crossKey, value: .crossValue, prefix: .crossPrefix, output: .crossAttentionOutput)
  }

  init(_ index: Int, _ places: Places, _ form: AttentionForm, _ linear: (Site.Place) throws -> Linear) throws {
    (self.index, self.places, self.form) = (index, places, form)
    query = try linear(places.query)
    key = try linear(places.key)
    value = try linear(places.value)
    output = try linear(places.output)
  }

  /// A sequence's rows attend to each other; with a cache also to those of the passes before.
  func callAsFunction(_ x: Rows, _ pass: LayerPass, with adapters: some Interventions, in context: Context) -> Rows {
    var q = projected(query, places.query, x, adapters, context), k = projected(key, places.key, x, adapters, context)
    let v = projected(value, places.value, x, adapters, context)
    if let rotation = pass.rotation {
      q = q.with(context.rotated(q.tensor, by: rotation.repeated(q.copies, in: context), heads: form.heads))
      k = k.with(context.rotated(k.tensor, by: rotation.repeated(k.copies, in: context), heads: form.keyHeads))
    }
    let prefixes = adapters.prefix(x, at: Site(index, places.prefix), in: context)
    return attended(q, k, v, prefixes, pass, adapters, context)
  }

  /// A decoder's rows attend to an encoder's.
  func callAsFunction(
    _ x: Rows, over states: Rows, _ pass: LayerPass, with adapters: some Interventions, in context: Context
  ) -> Rows {
    let q = projected(query, places.query, x, adapters, context)
    func keysAndValues() -> (keys: Rows, values: Rows) {
      (projected(key, places.key, states, adapters, context), projected(value, places.value, states, adapters, context))
    }
    let (k, v) = pass.cache.map { $0.crossing(index, keysAndValues) } ?? keysAndValues()
    let prefixes = adapters.prefix(x, at: Site(index, places.prefix), in: context)
    return attended(q, k, v, prefixes, LayerPass(unseen: pass.unseenStates), adapters, context)
  }

  private func projected(
    _ linear: Linear, _ place: Site.Place, _ x: Rows, _ adapters: some Interventions, _ context: Context
  ) -> Rows {
    adapters.projected(Projection(linear, of: x), at: Site(index, place), in: context)
  }

  /// All have as many copies of the batch as the one that has most.
  private func attended(
    _ q: Rows, _ k: Rows, _ v: Rows, _ prefixes: AttentionPrefixes?, _ pass: LayerPass,
    _ adapters: some Interventions, _ context: Context
  ) -> Rows {
    let prefixed = prefixes.map { $0.rows.count / max(1, q.batch.count) } ?? 1
    let copies = max(q.copies, k.copies, v.copies, prefixed)
    let q = q.repeated(to: copies, in: context), k = k.repeated(to: copies, in: context),
      v = v.repeated(to: copies, in: context)
    let all = k.sequences
    var keys = k.tensor, values = v.tensor, rows = (0..<all.count).map { all[$0] }
    if let cache = pass.cache { (keys, values, rows) = cache.append(k, v, layer: index, in: context) }
    let mixed = context.attention(
      q.tensor, keys, values, form, in: q.sequences, over: rows,
      bias: pass.bias?(AttentionExtent(q, k, rows, prefixes)), prefixes: prefixes,
      unseen: pass.unseen)
    return projected(output, places.output, q.with(mixed), adapters, context)
  }

  var linears: [Linear] { [query, key, value, output] }
}

/// What all layers of a pass have in common.
struct LayerPass {
  /// Rows of a batch that no other row attends to.
  var unseen: Set<Int> = []
  /// Rows of the encoder's states that no row attends to.
  var unseenStates: Set<Int> = []
  /// The angles of the rows' positions.
  var rotation: Rotation?
  /// What is added to the scores.
  var bias: ((AttentionExtent) -> AttentionBias)?
  /// What was read before.
  var cache: KeyValueCache?
}

/// What one attention is taken over.
struct AttentionExtent {
  let queries: Rows
  /// Those of the pass.
  let keys: Rows
  /// All keys of each sequence, those of earlier passes too.
  let keyRows: [Range<Int>]
  let prefixes: AttentionPrefixes?

  init(_ queries: Rows, _ keys: Rows, _ keyRows: [Range<Int>], _ prefixes: AttentionPrefixes?) {
    (self.queries, self.keys, self.keyRows, self.prefixes) = (queries, keys, keyRows, prefixes)
  }

  /// The positions of all queries, the last of which is the last of the keys.
  var positions: Range<Int> {
    let sequences = queries.sequences
    let firsts = keyRows.indices.filter { !sequences[$0].isEmpty }.map { keyRows[$0].count - sequences[$0].count }
    return (firsts.min() ?? 0)..<(keyRows.map(\.count).max() ?? 0)
  }
  /// The most keys that a query sees.
  var keyCount: Int { keyRows.indices.map { keyRows[$0].count + (prefixes?.rows[$0].count ?? 0) }.max() ?? 0 }
}
