import Foundation

/// How the learning rate changes from step to step, with the names and values of `get_scheduler` of `transformers`.
public struct Schedule: Hashable, Sendable {
  /// What follows the warm-up.
  public enum Shape: Hashable, Sendable {
    /// The full rate.
    case constant
    /// Down to zero in a straight line.
    case linear
    /// Down to zero along half a cosine, or this many whole ones.
    case cosine(cycles: Double = 0.5)
    /// Down to zero along half a cosine, this many times.
    case cosineWithRestarts(cycles: Double = 1)
    /// Down to 10⁻⁷ along a power of what is left.
    case polynomial(power: Double = 1)
    /// With the inverse of the square root of the steps; `timescale` is the number of warm-up steps if `nil`, or
    /// 10 000.
    case inverseSquareRoot(timescale: Int? = nil)
  }

  /// What follows the warm-up.
  public let shape: Shape
  /// The steps over which the rate grows from zero.
  public let warmupSteps: Int
  /// All steps, the warm-up included; shapes that never end do not look at it.
  public let totalSteps: Int

  public init(_ shape: Shape = .constant, warmupSteps: Int = 0, totalSteps: Int = 0) {
    (self.shape, self.warmupSteps, self.totalSteps) = (shape, warmupSteps, totalSteps)
  }

  /// What the learning rate is multiplied by in a step, counted from 0.
  ///
  /// - Parameter learningRate: the full rate, of which the polynomial needs to know how far it is above its end
  public func factor(at step: Int, learningRate: Double) -> Double {
    if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
    let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
    switch shape {
    case .constant: return 1
    case .linear: return max(0, 1 - progress)
    case .cosine(let cycles): return max(0, 0.5 * (1 + cos(.pi * cycles * 2 * progress)))
    case .cosineWithRestarts(let cycles):
      return progress >= 1
        ? 0 : max(0, 0.5 * (1 + cos(.pi * (cycles * progress).truncatingRemainder(dividingBy: 1))))
    case .polynomial(let power):
      let end = 1e-7
      return step > totalSteps
        ? end / learningRate : ((learningRate - end) * pow(1 - progress, power) + end) / learningRate
    case .inverseSquareRoot(let timescale):
      let scale = timescale ?? (warmupSteps > 0 ? warmupSteps : 10_000)
      return 1 / (Double(step + scale - warmupSteps) / Double(scale)).squareRoot()
    }
  }
}
