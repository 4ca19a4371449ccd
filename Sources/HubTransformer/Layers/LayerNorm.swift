public import HubTensor

/// `(x − mean)/√(variance + ε) · gain + bias` (Ba et al. 2016).
public struct LayerNorm: Sendable {
  public let gain: Parameter
  public let bias: Parameter
  public let epsilon: Float

  /// - Parameter weights: where `weight [width]` and `bias [width]` are
  public init(from weights: ParameterSource, _ width: Int, epsilon: Float) throws {
    gain = try weights.parameter("weight", [width], initially: .ones)
    bias = try weights.parameter("bias", [width])
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Tensor, plus residual: Tensor? = nil, in context: Context) -> Tensor {
    context.layerNorm(x, plus: residual, gain: gain, bias: bias, epsilon: epsilon)
  }

  public var parameters: [Parameter] { [gain, bias] }
}
