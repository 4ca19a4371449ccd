import HubWords
public import HubTensor

/// Token ids of several sequences, one after another.
public struct TokenBatch: Sendable {
  /// The id of each token in the vocabulary.
  public private(set) var ids: [Int] = []
  /// The segment of each token: 0, and 1 in the second text of a pair.
  public private(set) var typeIDs: [Int] = []
  /// Where each sequence lies among the tokens.
  public let sequences: Sequences
  /// The position of the first token of each sequence: 0, unless the text goes on from tokens that were read before.
  public let starts: [Int]
  /// Tokens that are computed and that no other one sees, as padding is elsewhere; Dovetail itself has no use for such.
  /// Not for setups with a `parallel`.
  public let unseen: Set<Int>

  /// - Parameters:
  ///   - rows: for each sequence its ids and segments, which must be equally many
  ///   - starts: the position of the first token of each sequence; 0 if `nil`
  ///   - unseen: indices of tokens, counted through all sequences
  public init(_ rows: [(ids: [Int], typeIDs: [Int])], starts: [Int]? = nil, unseen: Set<Int> = []) {
    self.unseen = unseen
    self.starts = starts ?? Array(repeating: 0, count: rows.count)
    precondition(self.starts.count == rows.count)
    for row in rows {
      precondition(row.ids.count == row.typeIDs.count)
      ids += row.ids
      typeIDs += row.typeIDs
    }
    sequences = Sequences(lengths: rows.map(\.ids.count))
  }

  /// Texts without segments.
  public init(_ ids: [[Int]], starts: [Int]? = nil) {
    self.init(ids.map { ($0, Array(repeating: 0, count: $0.count)) }, starts: starts)
  }

  /// The position of each token, counted on from the start of its sequence.
  public var positions: [Int] {
    (0..<sequences.count).flatMap { index in (0..<sequences[index].count).map { starts[index] + $0 } }
  }

  /// - Throws: ``Failure`` with code ``Failure/Code/invalidTokens`` where a row is in no table.
  static func check(_ rows: [Int], in table: Int, _ what: String, _ name: String) throws {
    guard let wrong = rows.first(where: { !(0..<table).contains($0) }) else { return }
    throw Failure(
      .invalidTokens, "\(what) \(wrong) is outside \(name) of \(table)",
      hint: "is the text too long, or does the tokenizer belong to another model?")
  }
}
