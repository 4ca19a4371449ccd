/// Keys and values that the queries of a sequence see besides the sequence's own, and before them, under a causal
/// mask too (prefix tuning, Li and Liang 2021).
public struct AttentionPrefixes: Sendable {
  /// `[rows, hidden]`, the prefixes one after another.
  public let keys: Tensor
  /// `[rows, hidden]`, a value for each of ``keys``.
  public let values: Tensor
  /// The rows of `keys` and `values` that come before each sequence; several sequences may have the same, or none.
  public let rows: [Range<Int>]
  /// What is added to the scores of each row of `keys`; nothing if `nil`.
  public let scores: [Float]?

  /// - Parameter keys: as many columns as the sequences' keys have; `values` has the same shape.
  public init(keys: Tensor, values: Tensor, rows: [Range<Int>], scores: [Float]? = nil) {
    precondition(scores.map { $0.count == keys.rows } ?? true)
    self.scores = scores
    precondition(values.rows == keys.rows && values.columns == keys.columns)
    precondition(rows.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= keys.rows })
    self.keys = keys
    self.values = values
    self.rows = rows
  }

  /// The rows of each sequence one after another.
  public init(keys: Tensor, values: Tensor, _ sequences: Sequences) {
    self.init(keys: keys, values: values, rows: (0..<sequences.count).map { sequences[$0] })
  }

  /// All rows before each of this many sequences.
  public init(keys: Tensor, values: Tensor, sharedBy sequences: Int) {
    self.init(keys: keys, values: values, rows: Array(repeating: 0..<keys.rows, count: sequences))
  }
}
