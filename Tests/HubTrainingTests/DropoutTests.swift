import HubTensor
import Testing

@Suite struct DropoutTests {
  private static func dropped(_ engine: Engine, _ randomness: Randomness?, rate: Float, calls: Int = 1) -> [Float] {
    let context = Context(engine, randomness: randomness)
    let x = context.tensor(rows: 300, columns: 101, repeatElement(1, count: 30_300))
    return (0..<calls).reduce([]) { _, _ in context.dropout(x, rate: rate).values }
  }

  private static func engine(_ threads: Int) -> Engine { Engine(kernels: Kernels.available[0], threads: threads) }

  @Test(arguments: [0.05, 0.1, 0.5, 0.9] as [Float])
  func shareAndMeanAreThoseOfTheRate(rate: Float) {
    let values = Self.dropped(Self.engine(1), Randomness(seed: 7), rate: rate), count = Double(values.count)
    let share = Double(values.count { $0 == 0 }) / count
    // Five standard deviations of a binomial.
    #expect(abs(share - Double(rate)) < 5 * (Double(rate * (1 - rate)) / count).squareRoot())
    let kept = Set(values.filter { $0 != 0 })
    #expect(kept.count == 1 && abs((kept.first ?? 0) - 1 / (1 - rate)) < 1e-3)
  }

  @Test func whatIsDroppedFollowsFromSeedPassAndPlaceAlone() {
    let randomness = Randomness(seed: 7, pass: 3)
    let once = Self.dropped(Self.engine(1), randomness, rate: 0.3)
    #expect(Self.dropped(Self.engine(3), randomness, rate: 0.3) == once, "threads make no difference")
    #expect(Self.dropped(Self.engine(1), Randomness(seed: 8, pass: 3), rate: 0.3) != once)
    #expect(Self.dropped(Self.engine(1), Randomness(seed: 7, pass: 4), rate: 0.3) != once)
    #expect(Self.dropped(Self.engine(1), randomness, rate: 0.3, calls: 2) != once, "another place")
  }

  @Test func nothingIsDroppedOutsideTraining() {
    #expect(Self.dropped(Self.engine(1), nil, rate: 0.5).allSatisfy { $0 == 1 })
    let context = Context(Self.engine(1), randomness: Randomness(seed: 1, reachesBase: false))
    let x = context.tensor(rows: 1, columns: 64, repeatElement(1, count: 64))
    #expect(context.baseDropout(x, rate: 0.5).values == x.values)
  }

  /// The gradient of a sum is 1/(1 − rate) where a value stayed, and 0 where it went.
  @Test func gradientsGoTheWayTheValuesWent() {
    let engine = Self.engine(1), plain = Context(engine)
    let x = Parameter("x", plain.tensor(rows: 5, columns: 13, (0..<65).map { Float($0) + 1 }))
    let context = Context(engine, training: [x], randomness: Randomness(seed: 2))
    let y = context.dropout(context.value(of: x), rate: 0.4)
    let ones = Parameter("ones", plain.tensor(rows: 1, columns: 65, repeatElement(1, count: 65)))
    let gradients = context.gradients(of: context.linear(context.reshaped(y, rows: 1, columns: 65), ones))
    let expected = zip(y.values, x.value.values).map { $0 / $1 }
    for (got, want) in zip(gradients[x]?.values ?? [], expected) { #expect(abs(got - want) < 1e-5) }
  }
}
