public import HubTensor

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), with PyTorch's defaults and order of operations.
public struct AdamW {
  /// The size of a step.
  public var learningRate: Float
  /// Each step takes away `learningRate * weightDecay` of a weight.
  public var weightDecay: Float
  /// How much of the first and of the second moment stays at each step.
  public var betas: (Float, Float)
  /// What is added to the root of the second moment.
  public var epsilon: Float
  private var step = 0
  private var moments: [ObjectIdentifier: (first: [Float], second: [Float])] = [:]

  public init(
    learningRate: Float = 1e-3, weightDecay: Float = 0.01, betas: (Float, Float) = (0.9, 0.999), epsilon: Float = 1e-8
  ) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.betas = betas
    self.epsilon = epsilon
  }

  /// Moves the parameters against their gradients; a parameter without one stays where it is.
  ///
  /// - Parameter decays: whether weight decay applies to a parameter
  public mutating func update(
    _ parameters: [Parameter], _ gradients: Gradients, in context: Context, decays: (Parameter) -> Bool = { _ in true }
  ) {
    step += 1
    let correction1 = 1 - power(betas.0, step), correction2 = (1 - power(betas.1, step)).squareRoot()
    for parameter in parameters {
      guard let gradient = gradients[parameter]?.values else { continue }
      let key = ObjectIdentifier(parameter)
      var (first, second) =
        moments[key] ?? (Array(repeating: 0, count: gradient.count), Array(repeating: 0, count: gradient.count))
      let shrinkage = decays(parameter) ? 1 - learningRate * weightDecay : 1
      let rate = Float(Double(learningRate) / correction1)
      parameter.update(in: context) { values in
        for i in gradient.indices {
          first[i] += (gradient[i] - first[i]) * (1 - betas.0)
          second[i] = second[i] * betas.1 + gradient[i] * gradient[i] * (1 - betas.1)
          values[i] = values[i] * shrinkage - rate * first[i] / (second[i].squareRoot() / Float(correction2) + epsilon)
        }
      }
      moments[key] = (first, second)
    }
  }

  private func power(_ base: Float, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * Double(base) }
  }
}
