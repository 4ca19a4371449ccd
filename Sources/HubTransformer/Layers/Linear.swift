public import HubTensor

/// `y = x · Wᵀ + b`.
public struct Linear: Sendable {
  /// `[out, in]`
  public let weight: Parameter
  /// `[out]`; `nil` without a bias.
  public let bias: Parameter?

  init(weight: Parameter, bias: Parameter?) { (self.weight, self.bias) = (weight, bias) }

  /// - Parameters:
  ///   - weights: where `weight [out, in]` and `bias [out]` are
  public init(
    from weights: ParameterSource, _ input: Int, _ output: Int, bias: Bool = true,
    initially initial: Initializer = .normal(deviation: 0.02)
  ) throws {
    weight = try weights.parameter("weight", [output, input], initially: initial)
    self.bias = bias ? try weights.parameter("bias", [output]) : nil
  }

  /// `activation(x · Wᵀ + b) · scale + residual`
  public func callAsFunction(
    _ x: Tensor, then activation: Activation = .identity, scale: Float = 1, plus residual: Tensor? = nil,
    in context: Context
  ) -> Tensor {
    context.linear(x, weight, bias: bias, then: activation, scale: scale, plus: residual)
  }

  /// Weight and bias.
  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }
}
