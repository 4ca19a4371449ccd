public import HubTensor

/// Stochastic gradient descent with momentum, as PyTorch has it: the weight decay is part of the gradient.
public struct SGD: Optimizer {
  public var learningRate: Float?
  /// How much of the velocity stays at each step; 0 for none.
  public var momentum: Float
  /// How much of a gradient the velocity does not take in.
  public var dampening: Float
  /// Whether a step looks ahead along the velocity (Nesterov 1983).
  public var usesNesterov: Bool
  /// Each gradient gains this share of its weight.
  public var weightDecay: Float
  public var state = OptimizerState()

  public init(
    learningRate: Float = 1e-3, momentum: Float = 0, dampening: Float = 0, usesNesterov: Bool = false,
    weightDecay: Float = 0
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.dampening = dampening
    self.usesNesterov = usesNesterov
    self.weightDecay = weightDecay
  }

  public mutating func update(
    _ parameters: [TrainedParameter], _ gradients: [Tensor?], factor: Double, in context: Context
  ) {
    state.steps += 1
    let rate = Float(Double(learningRate ?? 1e-3) * factor)
    for (parameter, gradient) in zip(parameters, gradients) {
      guard let gradient else { continue }
      let kept = state.take("velocity", of: parameter)
      var velocity = momentum == 0 ? nil : kept ?? context.zeros(like: parameter.parameter)
      context.sgdStep(
        parameter.parameter, gradient, &velocity, isFirst: kept == nil, rate: rate,
        decay: parameter.decays ? weightDecay : 0, momentum: momentum, dampening: dampening,
        usesNesterov: usesNesterov)
      if let velocity { state.put(velocity, as: "velocity", of: parameter) }
    }
  }
}
