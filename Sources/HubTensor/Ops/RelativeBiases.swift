import CHubKernels

extension Context {
  /// One matrix a head, below each other: at query `i` and key `j` the table's row for the distance `j − i`.
  ///
  /// - Parameters:
  ///   - table: `[buckets, heads]`
  ///   - positions: those of the queries
  ///   - keys: how many there are, from position 0 on
  ///   - buckets: the row for each distance, from `firstDistance` on
  /// - Returns: `[heads * positions, keys]`
  public func relativeBiases(
    _ table: Parameter, _ positions: Range<Int>, keys: Int, buckets: [Int], firstDistance: Int
  ) -> Tensor {
    let heads = table.columns, value = table.value
    precondition(buckets.allSatisfy { (0..<table.rows).contains($0) })
    func bucket(_ query: Int, _ key: Int) -> Int { buckets[key - query - firstDistance] }
    var result = empty(heads * positions.count, keys)
    for head in 0..<heads {
      for (row, position) in positions.enumerated() {
        let target = result.block.base + (head * positions.count + row) * keys
        for key in 0..<keys { target[key] = value.base[bucket(position, key) * heads + head] }
      }
    }
    if isRecorded(parameters: table) {
      record(&result) { [unowned self] gradient, gradients in
        let sums = zeros(table.rows, heads)
        for head in 0..<heads {
          for (row, position) in positions.enumerated() {
            let source = gradient.base + (head * positions.count + row) * keys
            for key in 0..<keys { sums.block.base[bucket(position, key) * heads + head] += source[key] }
          }
        }
        gradients.add(sums, to: table)
      }
    }
    return result
  }

  /// One matrix for each head of each sequence, below each other: at query `i` and key `j` the column of row `i`, or of
  /// row `j`, that their distance asks for.
  ///
  /// - Parameters:
  ///   - x: `[rows, heads * width]`
  ///   - columns: the column for each distance `i − j`, from `−l + 1` to `l − 1` for the longest sequence of `l` rows
  ///   - byKey: whether the row is the key's
  ///   - offsets: for each sequence, the columns of zeros before those of its keys
  /// - Returns: `[sequences * heads * l, largest offset + l]`
  public func distanceScores(
    _ x: Tensor, in sequences: Sequences, heads: Int, columns: [Int], byKey: Bool, offsets: [Int]
  ) -> Tensor {
    let length = (columns.count + 1) / 2, width = x.columns / heads, stride = length + (offsets.max() ?? 0)
    precondition(offsets.count == sequences.count)
    precondition(sequences.rows == x.rows && columns.allSatisfy { (0..<width).contains($0) })
    func forElements(_ body: (_ element: Int, _ source: Int) -> Void) {
      for sequence in 0..<sequences.count {
        let rows = sequences[sequence]
        for head in 0..<heads {
          for i in 0..<rows.count {
            let first = ((sequence * heads + head) * length + i) * stride + offsets[sequence]
            for j in 0..<rows.count {
              let row = rows.lowerBound + (byKey ? j : i)
              body(first + j, row * x.columns + head * width + columns[i - j + length - 1])
            }
          }
        }
      }
    }
    var result = zeros(sequences.count * heads * length, stride)
    let target = result.block.base
    forElements { target[$0] = x.base[$1] }
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        let sums = zeros(x.rows, x.columns)
        forElements { sums.block.base[$1] += gradient.base[$0] }
        gradients.add(sums, to: x)
      }
    }
    return result
  }
}
