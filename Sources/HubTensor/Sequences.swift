/// Where the sequences of a batch lie in packed rows: one after another, without padding.
public struct Sequences: Hashable, Sendable {
  /// The first row of each sequence, and at the end the number of rows.
  public let offsets: [Int]

  /// - Parameter lengths: the rows of each sequence, which may be 0
  public init(lengths: some Sequence<Int>) {
    offsets = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
  }

  /// The number of sequences.
  public var count: Int { offsets.count - 1 }
  /// The number of rows of all sequences.
  public var rows: Int { offsets[offsets.count - 1] }

  /// The rows of one sequence.
  public subscript(index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }

  /// So many copies of all sequences, one after another.
  public func repeated(_ copies: Int) -> Sequences {
    copies == 1 ? self : Sequences(lengths: (0..<copies).flatMap { _ in (0..<count).map { self[$0].count } })
  }
}
