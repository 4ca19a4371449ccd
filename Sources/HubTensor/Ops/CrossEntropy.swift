import CHubKernels

extension Context {
  /// The mean over labelled rows of `−log softmax(logits)[label]`, `[1, 1]`.
  ///
  /// With `smoothing` ε it is `(1 − ε)` of that, and ε of the mean of `−log softmax(logits)` over all classes (Szegedy
  /// et al. 2016).
  ///
  /// - Parameters:
  ///   - logits: `[rows, classes]`
  ///   - labels: a class per row; `nil` leaves the row out
  public func crossEntropy(_ logits: Tensor, labels: [Int?], smoothing: Float = 0) -> Tensor {
    precondition(labels.count == logits.rows)
    let classes = logits.columns, share = smoothing / Float(max(1, classes))
    let labelled = Float(max(1, labels.count { $0 != nil })), perRow = 1 / labelled
    let kernels = kernels
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
        target.update(from: scores, count: classes)
        let logSum = kernels.softmax(target, classes)
        var surprise = logSum - scores[label]
        if smoothing > 0 {
          let total = (0..<classes).reduce(0.0) { $0 + Double(logSum - scores[$1]) }
          surprise += smoothing * (Float(total / Double(classes)) - surprise)
        }
        surprises[row] = surprise
        for column in 0..<classes { target[column] = (target[column] - share) * perRow }
        target[label] -= (1 - smoothing) * perRow
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
