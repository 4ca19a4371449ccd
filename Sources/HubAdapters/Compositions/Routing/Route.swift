public import HubTensor

/// Some rows of a batch, which go to one child of a block, and the sequences that they are.
public struct Route: Sendable {
  enum Rows: Sendable {
    case range(Range<Int>)
    case indices([Int])
  }

  let rows: Rows
  let sequences: Sequences
  /// Which of the sequences they are.
  let indices: [Int]

  /// Consecutive sequences.
  public init(_ part: Range<Int>, of sequences: Sequences) {
    rows = .range(sequences.offsets[part.lowerBound]..<sequences.offsets[part.upperBound])
    self.sequences = Sequences(lengths: part.map { sequences[$0].count })
    indices = Array(part)
  }

  /// Any sequences, each once.
  public init(_ chosen: [Int], of sequences: Sequences) {
    rows = .indices(chosen.flatMap { Array(sequences[$0]) })
    self.sequences = Sequences(lengths: chosen.map { sequences[$0].count })
    indices = chosen
  }

  /// Some tokens of every sequence, counted in each from 0; a sequence that is too short has fewer or none.
  public init(tokens: Range<Int>, of sequences: Sequences) {
    let ranges = (0..<sequences.count).map { index in
      let rows = sequences[index]
      return min(
        rows.upperBound, rows.lowerBound + tokens.lowerBound)..<min(
          rows.upperBound, rows.lowerBound + tokens.upperBound)
    }
    rows = .indices(ranges.flatMap { Array($0) })
    self.sequences = Sequences(lengths: ranges.map(\.count))
    indices = Array(ranges.indices)
  }

  /// One of several copies of all sequences, one after another.
  public init(copy: Int, of sequences: Sequences) {
    rows = .range(copy * sequences.rows..<(copy + 1) * sequences.rows)
    self.sequences = sequences
    indices = Array(copy * sequences.count..<(copy + 1) * sequences.count)
  }

  func taken(from x: Tensor, in context: Context) -> Tensor {
    switch rows {
    case .range(let range): range == 0..<x.rows ? x : context.rows(x, range)
    case .indices(let indices): context.rows(x, indices)
    }
  }

  private var origins: [Int] {
    switch rows {
    case .range(let range): Array(range)
    case .indices(let indices): indices
    }
  }

  /// Puts what became of each route's rows back where they came from.
  static func joined(_ results: [Tensor], _ routes: [Route], in context: Context) -> Tensor {
    let stacked = context.stacked(results), origins = routes.flatMap(\.origins)
    if origins.elementsEqual(0..<stacked.rows) { return stacked }
    var places = origins
    for (row, origin) in origins.enumerated() { places[origin] = row }
    return context.rows(stacked, places)
  }
}
