import Foundation

extension Context {
  /// `KL(softmax(target) ‖ softmax(logits))`, the mean over the rows, `[1, 1]`. No gradient flows to the target.
  ///
  /// - Parameters:
  ///   - logits: `[rows, classes]`
  ///   - target: `[rows, classes]`
  public func divergence(of logits: Tensor, from target: Tensor) -> Tensor {
    precondition(logits.rows == target.rows && logits.columns == target.columns)
    let slope = zeros(logits.rows, logits.columns), rows = Double(max(1, logits.rows))
    var total = 0.0
    for row in 0..<logits.rows {
      let (p, q) = (Self.logarithms(ofSoftmax: target.row(row)), Self.logarithms(ofSoftmax: logits.row(row)))
      for column in 0..<logits.columns {
        total += exp(p[column]) * (p[column] - q[column])
        slope.block.base[row * logits.columns + column] = Float((exp(q[column]) - exp(p[column])) / rows)
      }
    }
    var result = tensor(rows: 1, columns: 1, [Float(total / rows)])
    if isRecorded(logits) {
      record(&result) { [unowned self] gradient, gradients in
        gradients.add(scaled(slope, by: gradient.base[0]), to: logits)
      }
    }
    return result
  }

  private static func logarithms(ofSoftmax scores: [Float]) -> [Double] {
    let most = Double(scores.max() ?? 0)
    let sum = scores.reduce(0) { $0 + exp(Double($1) - most) }
    return scores.map { Double($0) - most - log(sum) }
  }
}
