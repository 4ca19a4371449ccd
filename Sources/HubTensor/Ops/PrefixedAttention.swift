/// Keys and values that stand before those of each sequence, and have no queries.
public struct AttentionPrefix: Sendable {
  /// `[rows, heads · d]`, those of the first sequence first.
  public let keys, values: Tensor
  /// How many rows each sequence has here.
  public let sequences: Sequences

  public init(keys: Tensor, values: Tensor, _ sequences: Sequences) {
    precondition(keys.rows == sequences.rows && values.rows == sequences.rows)
    self.keys = keys
    self.values = values
    self.sequences = sequences
  }
}

extension Context {
  /// ``attention(_:_:_:in:heads:)`` with more keys and values than queries.
  ///
  /// It runs on sequences that are longer by their prefixes; the queries that these need are copies of a real one,
  /// whose results nobody reads.
  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, in sequences: Sequences, heads: Int, behind prefix: AttentionPrefix) -> Tensor {
    precondition(prefix.sequences.count == sequences.count)
    var sources: [Int] = [], queries: [Int] = [], results: [Int] = [], lengths: [Int] = []
    for index in 0..<sequences.count {
      let own = sequences[index], before = own.isEmpty ? 0..<0 : prefix.sequences[index]
      sources += before
      sources += own.map { $0 + prefix.sequences.rows }
      queries += Array(repeating: own.lowerBound, count: before.count)
      queries += own
      results += queries.count - own.count..<queries.count
      lengths.append(before.count + own.count)
    }
    let attended = attention(
      rows(q, queries), rows(stacked([prefix.keys, k]), sources), rows(stacked([prefix.values, v]), sources), in: Sequences(lengths: lengths),
      heads: heads)
    return rows(attended, results)
  }
}
