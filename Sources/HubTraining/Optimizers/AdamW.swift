public import HubTensor

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), with PyTorch's defaults and order of operations.
public struct AdamW: Optimizer {
  public var learningRate: Float?
  /// Each step takes away `learningRate * weightDecay` of a weight.
  public var weightDecay: Float
  /// How much of the first and of the second moment stays at each step.
  public var betas: (Float, Float)
  /// What is added to the root of the second moment.
  public var epsilon: Float
  public var state = OptimizerState()

  public init(
    learningRate: Float = 1e-3, weightDecay: Float = 0.01, betas: (Float, Float) = (0.9, 0.999), epsilon: Float = 1e-8
  ) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.betas = betas
    self.epsilon = epsilon
  }

  public mutating func update(
    _ parameters: [TrainedParameter], _ gradients: [Tensor?], factor: Double, in context: Context
  ) {
    state.steps += 1
    let correction1 = 1 - power(betas.0, state.steps), correction2 = (1 - power(betas.1, state.steps)).squareRoot()
    let learningRate = Double(learningRate ?? 1e-3) * factor
    for (parameter, gradient) in zip(parameters, gradients) {
      guard let gradient else { continue }
      var first = state.take("first", of: parameter) ?? context.zeros(like: parameter.parameter)
      var second = state.take("second", of: parameter) ?? context.zeros(like: parameter.parameter)
      context.adamStep(
        parameter.parameter, gradient, &first, &second,
        shrinkage: parameter.decays ? Float(1 - learningRate * Double(weightDecay)) : 1,
        rate: Float(learningRate / correction1), betas: betas, epsilon: epsilon, correction: Float(correction2))
      state.put(first, as: "first", of: parameter)
      state.put(second, as: "second", of: parameter)
    }
  }

  private func power(_ base: Float, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * Double(base) }
  }
}
