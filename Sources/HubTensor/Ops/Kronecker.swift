import CHubKernels

extension Context {
  /// `Σᵢ Cᵢ ⊗ Wᵢ` of `n` pairs of matrices, `[n·p, n·q]`: element `(a·p + c, b·q + d)` is `Σᵢ Cᵢ[a, b] · Wᵢ[c, d]`
  /// (Zhang et al. 2021).
  ///
  /// - Parameters:
  ///   - rules: the `Cᵢ [n, n]`, one below the other
  ///   - w: the `Wᵢ [p, q]`, one below the other
  public func kroneckerSum(_ rules: Tensor, _ w: Tensor) -> Tensor {
    let n = rules.columns, p = w.rows / n, q = w.columns, kernels = kernels
    precondition(rules.rows == n * n && w.rows == n * p)
    var result = zeros(n * p, n * q)
    Self.forPairs(n, p) { rule, part, whole in
      kernels.add_scaled(result.block.base + whole * q, w.base + part * q, rules.base[rule], q)
    }
    if isRecorded(rules, w) {
      record(&result) { [unowned self] gradient, gradients in
        if gradients.wants(rules) {
          let back = zeros(rules.rows, n)
          Self.forPairs(n, p) { rule, part, whole in
            back.block.base[rule] += (0..<q).reduce(Float(0)) {
              $0 + gradient.base[whole * q + $1] * w.base[part * q + $1]
            }
          }
          gradients.add(back, to: rules)
        }
        if gradients.wants(w) {
          let back = zeros(w.rows, q)
          Self.forPairs(n, p) { rule, part, whole in
            kernels.add_scaled(back.block.base + part * q, gradient.base + whole * q, rules.base[rule], q)
          }
          gradients.add(back, to: w)
        }
      }
    }
    return result
  }

  /// Calls `body` for each element of each rule and each row of its matrix, with the element's index, the row's, and
  /// the index of the stretch of the sum that they go to.
  private static func forPairs(_ n: Int, _ p: Int, _ body: (_ rule: Int, _ part: Int, _ whole: Int) -> Void) {
    for i in 0..<n {
      for a in 0..<n {
        for b in 0..<n {
          for c in 0..<p { body((i * n + a) * n + b, i * p + c, (a * p + c) * n + b) }
        }
      }
    }
  }

  /// The products of `count` pairs of matrices, one below the other.
  ///
  /// - Parameters:
  ///   - left: `[count · p, k]`
  ///   - right: `[count · k, q]`
  public func products(_ left: Tensor, _ right: Tensor, count: Int) -> Tensor {
    let p = left.rows / count, k = left.columns
    precondition(right.rows == count * k)
    return stacked((0..<count).map { product(rows(left, $0 * p..<($0 + 1) * p), rows(right, $0 * k..<($0 + 1) * k)) })
  }
}
