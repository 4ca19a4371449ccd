public import HubAdapters
import HubTensor
import HubWords

/// How sure it is that one setup is better than another: the difference of a figure on resamples of the rows that both
/// were measured on (Efron and Tibshirani 1993; Koehn 2004).
public struct PairedComparison: Hashable, Sendable {
  /// The figure.
  public let metric: String
  /// That of the first, less that of the second, on all rows.
  public let difference: Double
  /// Where the differences of 95 in 100 resamples lie.
  public let interval: ClosedRange<Double>
  /// How often chance alone would bring such a difference: twice the share of the resamples in which the other setup is
  /// as good or better, and at least one resample's share.
  public let probability: Double

  /// The figure that setups are compared by: the first that is not a loss.
  public static func metric(of answer: HeadAnswer) -> String? {
    Scores.metrics(of: answer).first { !Scores.isLowerBetter($0) }
  }

  /// - Parameter seed: what the resamples follow from
  /// - Throws: ``Failure`` with code ``Failure/Code/unsuitableData`` if the two were not measured on the same rows.
  public init(
    _ first: Scores, _ second: Scores, metric: String, resamples: Int = 1000, seed: UInt64 = 1
  ) throws {
    guard first.unitCount == second.unitCount, first.unitCount > 0 else {
      throw Failure(
        .unsuitableData, "the setups were not measured on the same rows: \(first.unitCount) and \(second.unitCount)")
    }
    self.metric = metric
    difference = first.figure(metric) - second.figure(metric)
    var generator = Randomness(seed: seed).generator(for: 5)
    let differences = (0..<resamples).map { _ in
      let chosen = (0..<first.unitCount).map { _ in Int.random(in: 0..<first.unitCount, using: &generator) }
      return first.resampled(chosen).figure(metric) - second.resampled(chosen).figure(metric)
    }.sorted()
    let tail = resamples / 40
    interval = differences[tail]...differences[resamples - 1 - tail]
    let below = differences.count { $0 <= 0 }, above = differences.count { $0 >= 0 }
    probability = Swift.min(1, 2 * Double(Swift.max(1, Swift.min(below, above))) / Double(resamples))
  }
}
