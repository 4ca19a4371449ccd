extension Context {
  /// Ranges of rows of `x`, each with room after it: the first of range `i` becomes the row `i · stride`. What lies
  /// between is whatever the memory held. Gradients do not flow through it.
  public func spread(_ x: Tensor, _ ranges: [Range<Int>], every stride: Int) -> Tensor {
    let result = empty(ranges.count * stride, x.columns)
    for (index, range) in ranges.enumerated() {
      precondition(range.lowerBound >= 0 && range.upperBound <= x.rows && range.count <= stride)
      (result.block.base + index * stride * x.columns).update(
        from: x.base + range.lowerBound * x.columns, count: range.count * x.columns)
    }
    return result
  }

  /// Writes the rows of each sequence of `x` into `target`, from the row in `firsts` on. Gradients do not flow through
  /// it.
  public func write(_ x: Tensor, _ sequences: Sequences, into target: inout Tensor, at firsts: [Int]) {
    precondition(x.columns == target.columns && firsts.count == sequences.count && sequences.rows == x.rows)
    own(&target)
    for (index, first) in firsts.enumerated() {
      let rows = sequences[index]
      precondition(first >= 0 && first + rows.count <= target.rows)
      (target.block.base + first * x.columns).update(
        from: x.base + rows.lowerBound * x.columns, count: rows.count * x.columns)
    }
  }
}
