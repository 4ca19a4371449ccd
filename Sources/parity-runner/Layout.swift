import HubTensor
import HubTransformer

/// Where the tokens of packed sequences stand in the padded input that they come from.
struct Layout {
  let tokens: TokenBatch
  /// The row and column of each token in the padded input, after what an adapter puts before it.
  let places: [(row: Int, column: Int)]
  /// The rows and columns of the padded input, with what an adapter puts before it.
  let rows, length: Int
  /// The columns that an adapter adds.
  let added: Int

  /// - Parameters:
  ///   - keepsPadding: whether padding takes part, unseen
  ///   - added: the columns that an adapter puts before each row
  init(_ ids: [[Int]], mask: [[Int]], typeIDs: [[Int]]? = nil, keepsPadding: Bool = false, added: Int = 0) {
    let columns = mask.map { mask in mask.indices.filter { keepsPadding || mask[$0] != 0 } }
    let flags = keepsPadding ? mask.flatMap { $0 } : []
    tokens = TokenBatch(
      columns.enumerated().map { row, columns in
        (columns.map { ids[row][$0] }, columns.map { typeIDs?[row][$0] ?? 0 })
      },
      starts: columns.map { $0.first ?? 0 }, unseen: Set(flags.indices.filter { flags[$0] == 0 }))
    places = columns.enumerated().flatMap { row, columns in
      ((0..<added) + columns.map { $0 + added }).map { (row, $0) }
    }
    rows = ids.count
    length = added + (ids.first?.count ?? 0)
    self.added = added
  }

  /// Packed rows where the padded input had them, in each copy of the batch: `[copies * rows, length, columns]`.
  func padded(_ tensor: Tensor) -> (shape: [Int], values: [Float]) {
    let copies = max(1, tensor.rows / max(1, places.count))
    var values = [Float](repeating: 0, count: copies * rows * length * tensor.columns)
    for index in 0..<min(tensor.rows, copies * places.count) {
      let place = places[index % places.count]
      let first = ((index / places.count * rows + place.row) * length + place.column) * tensor.columns
      values.replaceSubrange(first..<first + tensor.columns, with: tensor.row(index))
    }
    return ([copies * rows, length, tensor.columns], values)
  }
}
