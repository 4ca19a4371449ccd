import Foundation
import HubTensor
import HubTraining
import HubWords

extension TrainingJob {
  /// What a hundred steps with ever larger learning rates came to.
  public struct RateSearch: Sendable {
    /// The learning rate of each step, and the smoothed loss.
    public let curve: [(rate: Double, loss: Double)]
    /// The rate at which the loss fell fastest; `nil` if it did not fall.
    public let suggestion: Double?
  }

  /// Looks for a learning rate (Smith 2017): the rate grows from 10⁻⁷ by the same factor a step, until the loss is four
  /// times the least. The weights are changed by it: the job is of no use afterwards.
  ///
  /// - Throws: what the model throws.
  public func searchRate(steps: Int = 100) throws -> RateSearch {
    var learner = Learner(learned.parameters, trainer.learner.optimizer, maximumNorm: trainer.learner.maximumNorm)
    let sizes = Batches.Size.examples(recipe.integer("batch_size", 16)), seed = UInt64(recipe.integer("seed", 1))
    let order = (0..<steps).lazy.flatMap { Batches(data.train, sizes, seed: seed).batches(ofEpoch: $0) }
    var generator = Randomness(seed: seed).generator(for: 5)
    var curve: [(rate: Double, loss: Double)] = [], mean = 0.0, least = Double.infinity
    for (step, batch) in order.prefix(steps).enumerated() {
      let rate = 1e-7 * pow(1e7, Double(step) / Double(max(1, steps - 1)))
      learner.optimizer.learningRate = Float(rate)
      let examples = TrainingBatch(batch.map { data.train[$0] }, masking: Self.masking(recipe, base), &generator)
      let report = try learner.step(
        [examples], on: engine, randomness: { _ in Randomness(seed: seed, pass: step) }, loss: learned.model.loss)
      guard report.isFinite else { break }
      mean = 0.9 * mean + 0.1 * report.loss
      let smoothed = mean / (1 - pow(0.9, Double(step + 1)))
      curve.append((rate, smoothed))
      least = min(least, smoothed)
      if smoothed > 4 * least { break }
    }
    // Before the least loss, over five steps each; the first losses are of few batches, and fall and rise by chance.
    let end = curve.indices.min { curve[$0].loss < curve[$1].loss } ?? 0
    let slopes = (10..<max(10, end - 1)).map { (curve[$0].rate, curve[$0 + 2].loss - curve[$0 - 2].loss) }
    let steepest = slopes.min { $0.1 < $1.1 }
    return RateSearch(curve: curve, suggestion: steepest.flatMap { $0.1 < 0 ? $0.0 : nil })
  }
}
