import HubAdapters
import HubTensor
import HubWords
import Testing

@testable import HubTraining

@Suite struct PairedComparisonTests {
  /// The scores of a classifier that is right where `isRight` says so.
  private func scores(_ isRight: [Bool]) -> Scores {
    var scores = Scores(.label, labels: ["no", "yes"])
    let engine = Engine(kernels: Kernels.available[0], threads: 1), context = Context(engine)
    let examples = isRight.indices.map { TrainingExample([([0], [0])], .label($0 % 2)) }
    let logits = context.tensor(
      rows: isRight.count, columns: 2,
      isRight.enumerated().flatMap { index, isRight -> [Float] in
        (index % 2 == 1) == isRight ? [0, 1] : [1, 0]
      })
    scores.add(logits, examples[...], Sequences(lengths: isRight.map { _ in 1 }), hidden: [])
    return scores
  }

  @Test func theIntervalIsThatOfTheMeanDifference() throws {
    // Of 400 rows the first alone is right on 60, the second alone on 30, both on 200.
    let rows = (0..<400).map { (first: $0 < 260, second: $0 < 200 || (260..<290).contains($0)) }
    let (first, second) = (scores(rows.map(\.first)), scores(rows.map(\.second)))
    let found = try PairedComparison(first, second, metric: "accuracy")
    #expect(abs(found.difference - 30 / 400) < 1e-12)
    // The differences of the rows are 1, -1 and 0: their mean is normal with this deviation.
    let mean = 30.0 / 400, deviation = ((90.0 / 400 - mean * mean) / 400).squareRoot()
    #expect(abs(found.interval.lowerBound - (mean - 1.96 * deviation)) < 0.006)
    #expect(abs(found.interval.upperBound - (mean + 1.96 * deviation)) < 0.006)
    #expect(found.probability < 0.01)
    #expect(try PairedComparison(second, first, metric: "accuracy").difference == -found.difference)
  }

  @Test func equalsDoNotDiffer() throws {
    let one = scores((0..<50).map { $0 % 3 > 0 })
    let found = try PairedComparison(one, one, metric: "accuracy")
    #expect(found.difference == 0 && found.interval == 0...0 && found.probability == 1)
  }

  @Test func allRowsOnceAreTheScoresThemselves() {
    let one = scores((0..<50).map { $0 % 3 > 0 })
    #expect(one.unitCount == 50)
    for metric in ["accuracy", "f1", "matthews"] {
      #expect(one.resampled(Array(0..<50)).figure(metric) == one.figure(metric))
    }
    #expect(one.resampled([1, 1, 2]).count == 3)
  }

  @Test func otherRowsAreRefused() {
    #expect(throws: Failure.self) {
      try PairedComparison(scores([true]), scores([true, false]), metric: "accuracy")
    }
    #expect(throws: Failure.self) { try PairedComparison(scores([]), scores([]), metric: "accuracy") }
  }

  @Test func everyKindOfHeadIsComparedByWhatIsNoLoss() {
    #expect(PairedComparison.metric(of: .label) == "accuracy")
    #expect(PairedComparison.metric(of: .word) == "accuracy")
    #expect(PairedComparison.metric(of: .tree) == "las")
    #expect(PairedComparison.metric(of: .number) == "spearman")
  }
}
