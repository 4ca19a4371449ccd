import Foundation

extension Context {
  /// The mean over labelled rows of `−log softmax(logits)[label]`, `[1, 1]`.
  ///
  /// - Parameters:
  ///   - logits: `[rows, classes]`
  ///   - labels: a class per row; `nil` leaves the row out
  public func crossEntropy(_ logits: Tensor, labels: [Int?]) -> Tensor {
    precondition(labels.count == logits.rows)
    let classes = logits.columns
    let labelled = Float(max(1, labels.count { $0 != nil }))
    let slope = zeros(logits.rows, classes)
    var total: Double = 0
    for (row, label) in labels.enumerated() {
      guard let label else { continue }
      precondition(label >= 0 && label < classes)
      let scores = logits.row(row)
      let most = scores.max() ?? 0
      let powers = scores.map { Double(exp($0 - most)) }
      let sum = powers.reduce(0, +)
      total += log(sum) - Double(scores[label] - most)
      for column in 0..<classes {
        slope.block.base[row * classes + column] = (Float(powers[column] / sum) - (column == label ? 1 : 0)) / labelled
      }
    }
    var loss = tensor(rows: 1, columns: 1, [Float(total) / labelled])
    if isRecorded(logits) {
      record(&loss) { [unowned self] gradient, gradients in
        gradients.add(scaled(slope, by: gradient.base[0]), to: logits)
      }
    }
    return loss
  }
}
