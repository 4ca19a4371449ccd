import HubTensor
import HubTransformer

/// A linear layer whose weights are computed from others, `y = x · Wᵀ + b`: once for inference, and in each pass that
/// trains those.
struct DerivedLinear: BottleneckLayer {
  private let weight, bias: DerivedParameter
  let parameters: [Parameter]

  /// - Parameters:
  ///   - parameters: all that the weights are computed from
  ///   - weight: `[out, in]`
  ///   - bias: `[1, out]`
  init(
    from parameters: [Parameter], weight: @escaping @Sendable (Context) -> Tensor, bias: @escaping @Sendable (Context) -> Tensor
  ) {
    self.parameters = parameters
    self.weight = DerivedParameter(from: parameters, weight)
    self.bias = DerivedParameter(from: parameters, bias)
  }

  func projection(in cx: Context) -> Context.Projection? {
    guard let weight = weight.settled(in: cx), let bias = bias.settled(in: cx) else { return nil }
    return (weight, bias)
  }

  func callAsFunction(_ x: Tensor, then activation: Activation, scale: Float, plus residual: Tensor?, in cx: Context) -> Tensor {
    if let (weight, bias) = projection(in: cx) { return cx.linear(x, weight, bias: bias, then: activation, scale: scale, plus: residual) }
    let product = cx.product(x, weight.value(in: cx), transposing: true)
    var result = cx.add(product, cx.rows(bias.value(in: cx), Array(repeating: 0, count: x.rows)))
    if activation != .identity { result = cx.activate(result, activation) }
    if scale != 1 { result = cx.scaled(result, by: scale) }
    return residual.map { cx.add(result, $0) } ?? result
  }
}
