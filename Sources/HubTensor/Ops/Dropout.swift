extension Context {
  /// In training, sets each value to zero with the probability `rate`, and divides the others by `1 − rate` (Srivastava
  /// et al. 2014); otherwise `x`. The probability is rounded to a multiple of 2⁻¹⁶.
  ///
  /// Which values go follows from the context's ``randomness``, from how many calls came before in this pass, and from
  /// the place of the value.
  ///
  /// - Parameter rate: at least 0, and below 1
  public func dropout(_ x: Tensor, rate: Float) -> Tensor {
    guard let randomness, drops(rate) else { return x }
    let key = randomness.key(of: droppedPlaces)
    droppedPlaces += 1
    var result = dropped(x, rate, key)
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in gradients.add(dropped(gradient, rate, key), to: x) }
    }
    return result
  }

  /// Whether ``dropout(_:rate:)`` does anything.
  public func drops(_ rate: Float) -> Bool { randomness != nil && rate > 0 }

  /// Dropout in a base model, which a run may leave out.
  public func baseDropout(_ x: Tensor, rate: Float) -> Tensor {
    randomness?.reachesBase == true ? dropout(x, rate: rate) : x
  }

  /// Four values share the 64 bits of a random number.
  private func dropped(_ x: Tensor, _ rate: Float, _ key: UInt64) -> Tensor {
    let result = empty(x.rows, x.columns), count = x.count
    let target = result.block.base, source = x.base
    let threshold = UInt64(min(65_535, (rate * 65_536).rounded()))
    let scale = 1 / (1 - Float(threshold) / 65_536)
    forRows((count + 3) / 4, cost: 8) { range in
      for group in range {
        var bits = Randomness.bits(key, group)
        for index in 4 * group..<min(4 * group + 4, count) {
          target[index] = bits & 0xFFFF >= threshold ? source[index] * scale : 0
          bits >>= 16
        }
      }
    }
    return result
  }
}
