public import HubTensor

/// `x/√(mean x² + ε) · gain` (Zhang and Sennrich 2019).
public struct RMSNorm: Norm {
  /// `[width]`
  public let gain: Parameter
  /// What is added to the mean square.
  public let epsilon: Float

  /// - Parameter weights: where `weight [width]` is
  public init(from weights: ParameterSource, _ width: Int, epsilon: Float) throws {
    gain = try weights.parameter("weight", [width], initially: .ones)
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Tensor, plus residual: Tensor?, in context: Context) -> Tensor {
    context.rmsNorm(x, plus: residual, gain: gain, epsilon: epsilon)
  }

  /// The gain.
  public var parameters: [Parameter] { [gain] }
}
