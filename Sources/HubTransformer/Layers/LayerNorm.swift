public import HubTensor

/// `(x − mean)/√(variance + ε) · gain + bias` (Ba et al. 2016).
public struct LayerNorm: Sendable {
  /// `[width]`
  public let gain: Parameter
  /// `[width]`
  public let bias: Parameter
  /// What is added to the variance.
  public let epsilon: Float

  /// - Parameter weights: where `weight [width]` and `bias [width]` are
  public init(from weights: ParameterSource, _ width: Int, epsilon: Float) throws {
    gain = try weights.parameter("weight", [width], initially: .ones)
    bias = try weights.parameter("bias", [width])
    self.epsilon = epsilon
  }

  /// The norm of `x`, or of `x + residual`; all `[rows, width]`.
  public func callAsFunction(_ x: Tensor, plus residual: Tensor? = nil, in context: Context) -> Tensor {
    context.layerNorm(x, plus: residual, gain: gain, bias: bias, epsilon: epsilon)
  }

  /// Gain and bias.
  public var parameters: [Parameter] { [gain, bias] }
}
