import HubWords
import HubTensor
import HubTransformer

/// The invertible adapter of MAD-X (Pfeiffer et al. 2020): additive coupling as in NICE (Dinh et al. 2015).
///
/// With the input's columns in two halves, `y1 = e1 + F(e2)` and `y2 = e2 + G(y1)`; back, `e2 = y2 − G(y1)` and
/// `e1 = y1 − F(e2)`.
struct NICE: InvertibleAdapter {
  private let half: Int
  private let f, g: Coupling

  init(width: Int, reduction: Double, activation: Activation, from weights: ParameterSource) throws {
    half = width / 2
    let rest = width - half
    f = try Coupling(rest, half, reduction, activation, from: weights["f"])
    g = try Coupling(half, rest, reduction, activation, from: weights["g"])
  }

  func callAsFunction(_ x: Tensor, in context: Context) -> Tensor {
    let first = context.columns(x, 0..<half), second = context.columns(x, half..<x.columns)
    let y1 = f(second, plus: first, in: context)
    return context.joined(y1, g(y1, plus: second, in: context))
  }

  func inverse(_ y: Tensor, in context: Context) -> Tensor {
    let first = context.columns(y, 0..<half), second = context.columns(y, half..<y.columns)
    let e2 = g(first, scale: -1, plus: second, in: context)
    return context.joined(f(e2, scale: -1, plus: first, in: context), e2)
  }

  var parameters: [Parameter] { f.parameters + g.parameters }
}

/// `up(activation(down(x)))`, one half's effect on the other.
private struct Coupling: Sendable {
  private let down, up: Linear
  private let activation: Activation

  init(_ input: Int, _ output: Int, _ reduction: Double, _ activation: Activation, from weights: ParameterSource) throws
  {
    let bottleneck = Int((Double(input) / reduction).rounded(.down))
    guard bottleneck >= 1 else {
      throw Failure(
        .invalidConfiguration, "a reduction factor of \(reduction) leaves none of \(input) columns",
        at: "inv_adapter_reduction_factor")
    }
    self.activation = activation
    down = try Linear(from: weights["down"], input, bottleneck)
    up = try Linear(from: weights["up"], bottleneck, output)
  }

  func callAsFunction(_ x: Tensor, scale: Float = 1, plus other: Tensor, in context: Context) -> Tensor {
    up(down(x, then: activation, in: context), scale: scale, plus: other, in: context)
  }

  var parameters: [Parameter] { down.parameters + up.parameters }
}
