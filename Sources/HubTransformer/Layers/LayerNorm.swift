public import HubTensor

/// A norm over each row.
public protocol Norm: Sendable {
  /// The norm of `x`, or of `x + residual`; all `[rows, width]`.
  func callAsFunction(_ x: Tensor, plus residual: Tensor?, in context: Context) -> Tensor
  /// All weights.
  var parameters: [Parameter] { get }
}

extension Norm {
  /// The norm of `x`, `[rows, width]`.
  public func callAsFunction(_ x: Tensor, in context: Context) -> Tensor { self(x, plus: nil, in: context) }
}

/// `(x − mean)/√(variance + ε) · gain + bias` (Ba et al. 2016).
public struct LayerNorm: Norm {
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

  public func callAsFunction(_ x: Tensor, plus residual: Tensor?, in context: Context) -> Tensor {
    context.layerNorm(x, plus: residual, gain: gain, bias: bias, epsilon: epsilon)
  }

  /// Gain and bias.
  public var parameters: [Parameter] { [gain, bias] }
}
