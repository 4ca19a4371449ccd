import CHubKernels

extension Context {
  /// The same values in another shape.
  public func reshaped(_ x: Tensor, rows: Int, columns: Int) -> Tensor {
    precondition(rows * columns == x.count)
    var result = Tensor(rows: rows, columns: columns, block: x.block)
    if isRecorded(x) {
      record(&result) { gradient, gradients in
        gradients.add(Tensor(rows: x.rows, columns: x.columns, block: gradient.block), to: x)
      }
    }
    return result
  }

  /// `xᵀ`
  public func transposed(_ x: Tensor) -> Tensor {
    var result = empty(x.columns, x.rows)
    for row in 0..<x.rows {
      for column in 0..<x.columns { result.block.base[column * x.rows + row] = x.base[row * x.columns + column] }
    }
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in gradients.add(transposed(gradient), to: x) }
    }
    return result
  }

  /// The columns of `range`, copied.
  public func columns(_ x: Tensor, _ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= x.columns)
    var result = empty(x.rows, range.count)
    copyColumns(of: x, from: range.lowerBound, to: result, at: 0, count: range.count)
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        let back = zeros(x.rows, x.columns)
        copyColumns(of: gradient, from: 0, to: back, at: range.lowerBound, count: range.count)
        gradients.add(back, to: x)
      }
    }
    return result
  }

  /// `[left, right]`: the columns of one before those of the other.
  public func joined(_ left: Tensor, _ right: Tensor) -> Tensor {
    precondition(left.rows == right.rows)
    var result = empty(left.rows, left.columns + right.columns)
    copyColumns(of: left, from: 0, to: result, at: 0, count: left.columns)
    copyColumns(of: right, from: 0, to: result, at: left.columns, count: right.columns)
    if isRecorded(left, right) {
      record(&result) { [unowned self] gradient, gradients in
        gradients.add(columns(gradient, 0..<left.columns), to: left)
        gradients.add(columns(gradient, left.columns..<gradient.columns), to: right)
      }
    }
    return result
  }

  private func copyColumns(of source: Tensor, from first: Int, to target: Tensor, at column: Int, count: Int) {
    for row in 0..<source.rows {
      (target.block.base + row * target.columns + column).update(
        from: source.base + row * source.columns + first, count: count)
    }
  }

  /// The rows of `range`, copied.
  public func rows(_ x: Tensor, _ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= x.rows)
    var result = empty(range.count, x.columns)
    result.block.base.update(from: x.base + range.lowerBound * x.columns, count: result.count)
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        let back = zeros(x.rows, x.columns)
        (back.block.base + range.lowerBound * x.columns).update(from: gradient.base, count: gradient.count)
        gradients.add(back, to: x)
      }
    }
    return result
  }

  /// The rows of all, one after another.
  public func stacked(_ parts: [Tensor]) -> Tensor {
    precondition(!parts.isEmpty && parts.allSatisfy { $0.columns == parts[0].columns })
    var result = empty(parts.reduce(0) { $0 + $1.rows }, parts[0].columns)
    var row = 0
    for part in parts {
      (result.block.base + row * part.columns).update(from: part.base, count: part.count)
      row += part.rows
    }
    if parts.contains(where: { isRecorded($0) }) {
      record(&result) { [unowned self] gradient, gradients in
        var row = 0
        for part in parts {
          gradients.add(rows(gradient, row..<row + part.rows), to: part)
          row += part.rows
        }
      }
    }
    return result
  }

  /// So many copies of all rows, one after another.
  public func repeated(_ x: Tensor, _ copies: Int) -> Tensor { stacked(Array(repeating: x, count: copies)) }

  /// The rows with the given indices, in that order; an index may come more than once.
  public func rows(_ x: Tensor, _ indices: [Int]) -> Tensor {
    var result = empty(indices.count, x.columns)
    for (row, index) in indices.enumerated() {
      precondition(index >= 0 && index < x.rows)
      (result.block.base + row * x.columns).update(from: x.base + index * x.columns, count: x.columns)
    }
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        let back = zeros(x.rows, x.columns)
        for (row, index) in indices.enumerated() {
          kernels.add_scaled(back.block.base + index * x.columns, gradient.base + row * x.columns, 1, x.columns)
        }
        gradients.add(back, to: x)
      }
    }
    return result
  }

  /// `x` with the rows of `block` inside each sequence, after its first `offset` rows.
  public func inserting(_ block: Tensor, into x: Tensor, at offset: Int, of sequences: Sequences) -> Tensor {
    let inserted = x.rows..<x.rows + block.rows
    let order = (0..<sequences.count).flatMap { index -> [Int] in
      let rows = sequences[index], middle = min(rows.upperBound, rows.lowerBound + offset)
      return Array(rows.lowerBound..<middle) + inserted + (middle..<rows.upperBound)
    }
    return rows(stacked([x, block]), order)
  }
}
