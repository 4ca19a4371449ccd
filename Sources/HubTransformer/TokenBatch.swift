public import HubTensor

/// Token ids of several sequences, one after another.
public struct TokenBatch: Sendable {
  /// The id of each token in the vocabulary.
  public private(set) var ids: [Int] = []
  /// The segment of each token: 0, and 1 in the second text of a pair.
  public private(set) var typeIDs: [Int] = []
  /// Where each sequence lies among the tokens.
  public let sequences: Sequences
  /// Tokens that are computed and that no other one sees, as padding is elsewhere; Dovetail itself has no use for such. Not
  /// for setups with a `parallel`.
  public let unseen: Set<Int>

  /// - Parameters:
  ///   - rows: for each sequence its ids and segments, which must be equally many
  ///   - unseen: indices of tokens, counted through all sequences
  public init(_ rows: [(ids: [Int], typeIDs: [Int])], unseen: Set<Int> = []) {
    self.unseen = unseen
    for row in rows {
      precondition(row.ids.count == row.typeIDs.count)
      ids += row.ids
      typeIDs += row.typeIDs
    }
    sequences = Sequences(lengths: rows.map(\.ids.count))
  }

  /// The position of each token, counted from 0 in each sequence.
  public var positions: [Int] { (0..<sequences.count).flatMap { Array(0..<sequences[$0].count) } }
}
