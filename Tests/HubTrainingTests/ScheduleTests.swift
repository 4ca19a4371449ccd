import HubTraining
import Testing

/// The factors of `get_scheduler` of transformers 4.57.6, for steps 0, 1, 3, 6 and 11 of 10 with a warm-up of 2.
@Suite struct ScheduleTests {
  private static let steps = [0, 1, 3, 6, 11]

  @Test(
    arguments: [
      (.constant, [0, 0.5, 1, 1, 1]),
      (.linear, [0, 0.5, 0.875, 0.5, 0]),
      (.cosine(), [0, 0.5, 0.9619397662556434, 0.5, 0.03806023374435663]),
      (.cosineWithRestarts(cycles: 2), [0, 0.5, 0.8535533905932737, 1, 0]),
      (.polynomial(power: 2), [0, 0.5, 0.7656484375, 0.250075, 1e-4]),
      (.inverseSquareRoot(), [0, 0.5, 0.816496580927726, 0.5773502691896258, 0.4264014327112209]),
    ] as [(Schedule.Shape, [Double])])
  func factorsAreThoseOfTransformers(shape: Schedule.Shape, expected: [Double]) {
    let schedule = Schedule(shape, warmupSteps: 2, totalSteps: 10)
    for (step, value) in zip(Self.steps, expected) {
      let got = schedule.factor(at: step, learningRate: 1e-3)
      #expect(abs(got - value) < 1e-9, "\(shape) at \(step): \(got), not \(value)")
    }
  }
}
