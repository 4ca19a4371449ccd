import HubTensor

/// Where the blocks of a composition send the rows of one pass.
struct Router {
  /// Those of the batch; rows may be several copies of them.
  let sequences: Sequences
  /// The number of each sequence's task.
  let tasks: [Int]

  /// What each child of a block works on; `nil` for a block whose children all work on all rows.
  func parts(of node: Setup.Node, _ sequences: Sequences) -> [Routes.Part]? {
    switch node {
    case .split(_, let tokens): Routes.split(sequences, tokens)
    case .batchSplit(_, let sizes), .requests(_, let sizes): Routes.batchSplit(sequences, sizes)
    case .multiTask(let nodes): Routes.tasks(sequences, tasks, count: nodes.count)
    case .adapter, .base, .stack, .fuse, .parallel, .mix: nil
    }
  }
}

/// Which rows of a batch go where.
enum Routes {
  /// Some rows, and the sequences that they are.
  struct Part {
    enum Rows {
      case range(Range<Int>)
      case indices([Int])
    }

    let rows: Rows
    let sequences: Sequences
    /// Which of the sequences they are.
    let indices: [Int]

    func taken(from x: Tensor, in context: Context) -> Tensor {
      switch rows {
      case .range(let range): range == 0..<x.rows ? x : context.rows(x, range)
      case .indices(let indices): context.rows(x, indices)
      }
    }
  }

  /// Parts of every sequence; a sequence that is too short has no rows in the later ones.
  static func split(_ sequences: Sequences, _ tokens: [Int]) -> [Part] {
    var first = 0
    return tokens.map { count in
      defer { first += count }
      let ranges = (0..<sequences.count).map { index in
        let rows = sequences[index]
        return min(rows.upperBound, rows.lowerBound + first)..<min(rows.upperBound, rows.lowerBound + first + count)
      }
      return Part(
        rows: .indices(ranges.flatMap { Array($0) }), sequences: Sequences(lengths: ranges.map(\.count)),
        indices: Array(ranges.indices))
    }
  }

  static func batchSplit(_ sequences: Sequences, _ sizes: [Int]) -> [Part] {
    var first = 0
    return sizes.map { count in
      defer { first += count }
      let part = first..<min(sequences.count, first + count)
      let rows = sequences.offsets[part.lowerBound]..<sequences.offsets[part.upperBound]
      return Part(
        rows: .range(rows), sequences: Sequences(lengths: part.map { sequences[$0].count }), indices: Array(part))
    }
  }

  /// The sequences of each task, and none for a task that no sequence has.
  static func tasks(_ sequences: Sequences, _ tasks: [Int], count: Int) -> [Part] {
    (0..<count).map { task in
      let chosen = (0..<sequences.count).filter { tasks[$0] == task }
      return Part(
        rows: .indices(chosen.flatMap { Array(sequences[$0]) }),
        sequences: Sequences(lengths: chosen.map { sequences[$0].count }), indices: chosen)
    }
  }

  /// The copies that a `parallel` made, one behind the other.
  static func copies(_ count: Int, of sequences: Sequences) -> [Part] {
    (0..<count).map { copy in
      Part(
        rows: .range(copy * sequences.rows..<(copy + 1) * sequences.rows), sequences: sequences,
        indices: Array(copy * sequences.count..<(copy + 1) * sequences.count))
    }
  }

  /// Puts the parts back where they came from.
  static func joined(_ results: [Tensor], _ parts: [Part], in context: Context) -> Tensor {
    let stacked = context.stacked(results)
    let origins = parts.flatMap { part -> [Int] in
      switch part.rows {
      case .range(let range): Array(range)
      case .indices(let indices): indices
      }
    }
    if origins.elementsEqual(0..<stacked.rows) { return stacked }
    var places = origins
    for (row, origin) in origins.enumerated() { places[origin] = row }
    return context.rows(stacked, places)
  }
}

extension Sequences {
  /// Rows of the longest sequence.
  var longest: Int { (0..<count).map { self[$0].count }.max() ?? 0 }
}
