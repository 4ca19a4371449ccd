/// What optimisers do to flat parameters: one loop over the values, their gradients and what is remembered of earlier
/// ones.
extension Context {
  /// A tensor of zeros.
  public func zeros(like parameter: Parameter) -> Tensor { zeros(parameter.rows, parameter.columns) }

  /// A step of Adam with decoupled weight decay (Loshchilov and Hutter 2019), in PyTorch's order of operations.
  ///
  /// - Parameters:
  ///   - first, second: the moments, which are changed
  ///   - shrinkage: what the values are multiplied by before the step
  ///   - rate: the learning rate, divided by `1 − β₁ᵗ`
  ///   - correction: `√(1 − β₂ᵗ)`
  public func adamStep(
    _ parameter: Parameter, _ gradient: Tensor, _ first: inout Tensor, _ second: inout Tensor, shrinkage: Float,
    rate: Float, betas: (Float, Float), epsilon: Float, correction: Float
  ) {
    own(&first)
    own(&second)
    let (m, v, g) = (first.block.base, second.block.base, gradient.base)
    update(parameter) { values, range in
      for i in range {
        m[i] += (g[i] - m[i]) * (1 - betas.0)
        v[i] = v[i] * betas.1 + g[i] * g[i] * (1 - betas.1)
        values[i] = values[i] * shrinkage - rate * m[i] / (v[i].squareRoot() / correction + epsilon)
      }
    }
  }

  /// A step of stochastic gradient descent, in PyTorch's order of operations: `g + λ w`, then the momentum.
  ///
  /// - Parameters:
  ///   - velocity: what is remembered of earlier gradients, which is changed; `nil` without momentum
  ///   - isFirst: whether the velocity begins with this gradient
  public func sgdStep(
    _ parameter: Parameter, _ gradient: Tensor, _ velocity: inout Tensor?, isFirst: Bool, rate: Float, decay: Float,
    momentum: Float, dampening: Float, usesNesterov: Bool
  ) {
    let g = gradient.base
    guard var buffer = velocity.take() else {
      return update(parameter) { values, range in
        for i in range { values[i] -= rate * (g[i] + decay * values[i]) }
      }
    }
    own(&buffer)
    let b = buffer.block.base
    update(parameter) { values, range in
      for i in range {
        let slope = g[i] + decay * values[i]
        b[i] = isFirst ? slope : b[i] * momentum + slope * (1 - dampening)
        values[i] -= rate * (usesNesterov ? slope + momentum * b[i] : b[i])
      }
    }
    velocity = buffer
  }

  private func update(
    _ parameter: Parameter, _ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
  ) {
    parameter.update(in: self) { values in
      guard let base = values.baseAddress else { return }
      forRows(values.count, cost: 8) { body(base, $0) }
    }
  }
}

extension Tensor {
  /// The sum of the squares of all values, in double precision and always in the same order.
  public var sumOfSquares: Double {
    UnsafeBufferPointer(start: block.base, count: count).reduce(0.0) { $0 + Double($1) * Double($1) }
  }
}
