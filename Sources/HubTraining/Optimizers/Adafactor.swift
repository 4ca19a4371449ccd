import Foundation
public import HubTensor

/// Adafactor (Shazeer and Stern 2018), with the defaults and the order of operations of `transformers`: of a matrix's
/// second moment only the means of rows and of columns are kept.
public struct Adafactor: Optimizer {
  /// `nil` lets the optimiser choose: `1/√step`, at most 0.01.
  public var learningRate: Float?
  /// What is added to squared gradients, and the least size that a parameter counts for.
  public var epsilons: (Float, Float)
  /// The root mean square that an update may have.
  public var clipThreshold: Float
  /// The exponent with which the second moment forgets.
  public var decayRate: Float
  /// How much of the first moment stays; `nil` for none.
  public var beta1: Float?
  /// Each step takes away `rate * weightDecay` of a weight.
  public var weightDecay: Float
  /// Whether steps are in proportion to the size of a parameter.
  public var scalesByParameter: Bool
  /// With a rate of its own: whether it grows from 10⁻⁶ a step.
  public var warmsUp: Bool
  public var state = OptimizerState()

  public init(
    learningRate: Float? = nil, epsilons: (Float, Float) = (1e-30, 1e-3), clipThreshold: Float = 1,
    decayRate: Float = -0.8, beta1: Float? = nil, weightDecay: Float = 0, scalesByParameter: Bool = true,
    warmsUp: Bool = false
  ) {
    self.learningRate = learningRate
    self.epsilons = epsilons
    self.clipThreshold = clipThreshold
    self.decayRate = decayRate
    self.beta1 = beta1
    self.weightDecay = weightDecay
    self.scalesByParameter = scalesByParameter
    self.warmsUp = warmsUp
  }

  public mutating func update(
    _ parameters: [TrainedParameter], _ gradients: [Tensor?], factor: Double, in context: Context
  ) {
    state.steps += 1
    let kept = 1 - pow(Double(state.steps), Double(decayRate))
    for (parameter, gradient) in zip(parameters, gradients) {
      guard let gradient = gradient?.values else { continue }
      let old = parameter.parameter.value.values
      let rate = Float(Double(rate(of: old)) * (learningRate == nil ? 1 : factor))
      var update = direction(parameter, gradient, kept: Float(kept), in: context)
      let excess = max(1, rootMeanSquare(update) / clipThreshold)
      for i in update.indices { update[i] = update[i] / excess * rate }
      if let beta1 {
        var first = state.take("first", of: parameter)?.values ?? Array(repeating: 0, count: update.count)
        for i in first.indices { first[i] = first[i] * beta1 + update[i] * (1 - beta1) }
        update = first
        state.put(context.tensor(rows: 1, columns: first.count, first), as: "first", of: parameter)
      }
      let shrinkage = parameter.decays ? weightDecay * rate : 0
      parameter.parameter.update(in: context) { values in
        for i in update.indices { values[i] = values[i] - values[i] * shrinkage - update[i] }
      }
    }
  }

  private func rate(of values: [Float]) -> Float {
    let relative = min(warmsUp ? 1e-6 * Float(state.steps) : 1e-2, 1 / Float(state.steps).squareRoot())
    return (learningRate ?? relative) * (scalesByParameter ? max(epsilons.1, rootMeanSquare(values)) : 1)
  }

  /// The gradient divided by the root of its second moment.
  private mutating func direction(
    _ parameter: TrainedParameter, _ gradient: [Float], kept: Float, in context: Context
  ) -> [Float] {
    let squares = gradient.map { $0 * $0 + epsilons.0 }
    func moment(_ kind: String, _ means: [Float]) -> [Float] {
      var moment = state.take(kind, of: parameter)?.values ?? Array(repeating: 0, count: means.count)
      for i in moment.indices { moment[i] = moment[i] * kept + means[i] * (1 - kept) }
      state.put(context.tensor(rows: 1, columns: moment.count, moment), as: kind, of: parameter)
      return moment
    }
    let shape = parameter.parameter.shape
    guard shape.count > 1 else {
      return zip(gradient, moment("second", squares)).map { $0 / $1.squareRoot() }
    }
    // Of more than two dimensions the first ones count matrices.
    let columns = shape[shape.count - 1], rows = shape[shape.count - 2], matrices = gradient.count / (rows * columns)
    let byRow = moment(
      "rows", (0..<matrices * rows).map { row in mean(squares[row * columns..<(row + 1) * columns]) })
    let byColumn = moment(
      "columns",
      (0..<matrices * columns).map { index in
        let first = index / columns * rows * columns + index % columns
        return (0..<rows).reduce(Float(0)) { $0 + squares[first + $1 * columns] } / Float(rows)
      })
    let means = (0..<matrices).map { mean(byRow[$0 * rows..<($0 + 1) * rows]) }
    return gradient.indices.map { index in
      let matrix = index / (rows * columns), column = matrix * columns + index % columns
      return gradient[index] / (byRow[index / columns] / means[matrix]).squareRoot() / byColumn[column].squareRoot()
    }
  }

  private func mean(_ values: ArraySlice<Float>) -> Float { values.reduce(0, +) / Float(max(1, values.count)) }

  private func rootMeanSquare(_ values: [Float]) -> Float {
    (values.reduce(0) { $0 + $1 * $1 } / Float(max(1, values.count))).squareRoot()
  }
}
