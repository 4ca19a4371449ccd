import CHubKernels

extension Context {
  /// The mean of each sequence's rows: `[sequences, columns]`.
  public func means(of x: Tensor, over sequences: Sequences) -> Tensor {
    precondition(sequences.rows == x.rows)
    let width = x.columns, kernels = kernels
    var result = zeros(sequences.count, width)
    for index in 0..<sequences.count {
      let rows = sequences[index]
      for row in rows {
        kernels.add_scaled(result.block.base + index * width, x.base + row * width, 1 / Float(rows.count), width)
      }
    }
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        let back = zeros(x.rows, width)
        for index in 0..<sequences.count {
          let rows = sequences[index]
          for row in rows {
            kernels.add_scaled(
              back.block.base + row * width, gradient.base + index * width, 1 / Float(rows.count), width)
          }
        }
        gradients.add(back, to: x)
      }
    }
    return result
  }

  /// `x` with the rows of each sequence multiplied by that sequence's factor.
  ///
  /// - Parameter factors: `[sequences, 1]`
  public func multiply(_ x: Tensor, sequencesBy factors: Tensor, _ sequences: Sequences) -> Tensor {
    precondition(sequences.rows == x.rows && factors.count == sequences.count)
    let width = x.columns, kernels = kernels
    var result = zeros(x.rows, width)
    for index in 0..<sequences.count {
      let rows = sequences[index], first = rows.lowerBound * width
      kernels.add_scaled(result.block.base + first, x.base + first, factors.base[index], rows.count * width)
    }
    if isRecorded(x, factors) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(x) { gradients.add(multiply(gradient, sequencesBy: factors.unrecorded, sequences), to: x) }
        guard gradients.wants(factors) else { return }
        let sums = (0..<sequences.count).map { index in
          let elements = sequences[index].lowerBound * width..<sequences[index].upperBound * width
          return elements.reduce(Float(0)) { $0 + gradient.base[$1] * x.base[$1] }
        }
        gradients.add(tensor(rows: factors.rows, columns: factors.columns, sums), to: factors)
      }
    }
    return result
  }
}
