import Foundation

extension Context {
  /// The mean over labelled rows of `−log softmax(logits)[label]`, `[1, 1]`.
  ///
  /// With `smoothing` ε it is `(1 − ε)` of that, and ε of the mean of `−log softmax(logits)` over all classes (Szegedy et
  /// al. 2016).
  ///
  /// - Parameters:
  ///   - logits: `[rows, classes]`
  ///   - labels: a class per row; `nil` leaves the row out
  public func crossEntropy(_ logits: Tensor, labels: [Int?], smoothing: Float = 0) -> Tensor {
    precondition(labels.count == logits.rows)
    let classes = logits.columns, share = smoothing / Float(max(1, classes))
    let labelled = Float(max(1, labels.count { $0 != nil }))
    let slope = empty(logits.rows, classes), losses = zeros(1, logits.rows)
    let (slopes, surprises, scores) = (slope.block.base, losses.block.base, logits.base)
    forRows(logits.rows, cost: 32 * classes) { rows in
      for row in rows {
        let target = slopes + row * classes, scores = scores + row * classes
        guard let label = labels[row] else {
          target.update(repeating: 0, count: classes)
          continue
        }
        precondition(label >= 0 && label < classes)
        var most = scores[0]
        for column in 0..<classes { most = max(most, scores[column]) }
        var sum = 0.0, total = 0.0
        for column in 0..<classes {
          let power = exp(scores[column] - most)
          target[column] = power
          sum += Double(power)
          total += Double(scores[column] - most)
        }
        let own = log(sum) - Double(scores[label] - most), mean = log(sum) - total / Double(classes)
        surprises[row] = Float(own + Double(smoothing) * (mean - own))
        let factor = Float(1 / sum)
        for column in 0..<classes { target[column] = (target[column] * factor - share) / labelled }
        target[label] -= (1 - smoothing) / labelled
      }
    }
    let total = losses.values.reduce(0.0) { $0 + Double($1) }
    var loss = tensor(rows: 1, columns: 1, [Float(total) / labelled])
    if isRecorded(logits) {
      record(&loss) { [unowned self] gradient, gradients in
        gradients.add(scaled(slope, by: gradient.base[0]), to: logits)
      }
    }
    return loss
  }
}
