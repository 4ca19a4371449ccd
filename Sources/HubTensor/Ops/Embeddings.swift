import CHubKernels

extension Context {
  /// For each token the sum of one row of each table: word, position and token type.
  ///
  /// - Parameter tables: a table `[vocabulary, width]` and for each token its row, which must exist
  public func embeddings(_ tables: [(table: Parameter, rows: [Int])]) -> Tensor {
    let width = tables[0].table.columns, count = tables[0].rows.count
    let kernels = kernels
    var result = empty(count, width)
    let target = result.block.base
    let values = tables.map { (table: $0.table.value, rows: $0.rows) }
    forRows(count, cost: width) { range in
      for token in range {
        let target = target + token * width
        for (index, value) in values.enumerated() {
          let row = value.rows[token]
          precondition(row >= 0 && row < value.table.rows)
          let source = value.table.base + row * width
          if index == 0 {
            target.update(from: source, count: width)
          } else {
            kernels.add_scaled(target, source, 1, width)
          }
        }
      }
    }
    let trained = tables.filter { isRecorded(parameters: $0.table) }
    if !trained.isEmpty {
      record(&result) { [unowned self] gradient, gradients in
        for (table, rows) in trained { gradients.add(sums(of: gradient, in: rows, of: table), to: table) }
      }
    }
    return result
  }

  /// What each row of a table was told: the sum of the gradients of the tokens that it stands for.
  private func sums(of gradient: Tensor, in rows: [Int], of table: Parameter) -> Tensor {
    let sums = zeros(table.rows, table.columns), width = table.columns
    for (token, row) in rows.enumerated() {
      kernels.add_scaled(sums.block.base + row * width, gradient.base + token * width, 1, width)
    }
    return sums
  }
}
