import HubTensor
import HubTransformer
import Synchronization

/// A linear layer whose weights are computed from others, `y = x · Wᵀ + b`: once for inference, and in each pass that
/// trains those.
struct DerivedLinear: BottleneckLayer {
  private let weight: DerivedParameter
  private let bias: DerivedParameter?
  let parameters: [Parameter]

  /// - Parameters:
  ///   - parameters: all that the weights are computed from
  ///   - weight: `[out, in]`
  ///   - bias: `[1, out]`
  init(
    from parameters: [Parameter], weight: @escaping @Sendable (Context) -> Tensor,
    bias: (@Sendable (Context) -> Tensor)?
  ) {
    self.parameters = parameters
    self.weight = DerivedParameter(from: parameters, weight)
    self.bias = bias.map { DerivedParameter(from: parameters, $0) }
  }

  func projection(in context: Context) -> Context.LinearWeights? {
    // Both are of the same parameters: either they are settled or none is.
    weight.settled(in: context).map { ($0, bias?.settled(in: context)) }
  }

  func callAsFunction(
    _ x: Tensor, then activation: Activation, scale: Float, plus residual: Tensor?, in context: Context
  ) -> Tensor {
    if let (weight, bias) = projection(in: context) {
      return context.linear(x, weight, bias: bias, then: activation, scale: scale, plus: residual)
    }
    var result = context.product(x, weight.value(in: context), transposing: true)
    if let bias {
      result = context.add(result, context.rows(bias.value(in: context), Array(repeating: 0, count: x.rows)))
    }
    if activation != .identity { result = context.activate(result, activation) }
    if scale != 1 { result = context.scaled(result, by: scale) }
    return residual.map { context.add(result, $0) } ?? result
  }
}

extension Context {
  /// `x · Wᵀ`
  func linear(_ x: Tensor, _ weight: DerivedParameter) -> Tensor {
    weight.settled(in: self).map { linear(x, $0) } ?? product(x, weight.value(in: self), transposing: true)
  }
}

/// What is computed from parameters and from a weight of the base model, which comes with the pass: computed again when
/// another base or a change of the parameters asks for it.
final class BaseDependentParameter: Sendable {
  private let sources: [Parameter]
  private let compute: @Sendable (_ weight: Parameter, Context) -> Tensor
  private let kept = Mutex<(weight: Parameter, derived: DerivedParameter)?>(nil)

  init(from sources: [Parameter], _ compute: @escaping @Sendable (_ weight: Parameter, Context) -> Tensor) {
    self.sources = sources
    self.compute = compute
  }

  func value(with weight: Parameter, in context: Context) -> Tensor {
    let derived = kept.withLock { kept in
      if let kept, kept.weight === weight { return kept.derived }
      let derived = DerivedParameter(from: sources + [weight]) { [compute] in compute(weight, $0) }
      kept = (weight, derived)
      return derived
    }
    return derived.settled(in: context)?.value ?? derived.value(in: context)
  }
}
