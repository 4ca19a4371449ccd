import Foundation

extension Context {
  /// `softmax(x / temperature)` of each row.
  public func softmax(_ x: Tensor, temperature: Float = 1) -> Tensor {
    let width = x.columns
    let values = (0..<x.rows).flatMap { row -> [Float] in
      let scores = x.row(row), largest = scores.max() ?? 0
      let powers = scores.map { exp(($0 - largest) / temperature) }, sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
    var result = tensor(rows: x.rows, columns: width, values)
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        let slopes = gradient.values
        let back = (0..<x.rows).flatMap { row -> [Float] in
          let range = row * width..<(row + 1) * width
          let mean = zip(values[range], slopes[range]).reduce(0) { $0 + $1.0 * $1.1 }
          return zip(values[range], slopes[range]).map { $0 * ($1 - mean) / temperature }
        }
        gradients.add(tensor(rows: x.rows, columns: width, back), to: x)
      }
    }
    return result
  }
}
