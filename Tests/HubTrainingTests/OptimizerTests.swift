import HubTensor
import HubTraining
import Testing

/// What the golden cases cannot tell: they have no gradient that is exactly zero, and none that is missing.
@Suite struct OptimizerTests {
  private let engine = Engine(kernels: Kernels.available[0], threads: 1)

  @Test(
    arguments: [AdamW(learningRate: 0.1, weightDecay: 0.5), SGD(learningRate: 0.1, weightDecay: 0.5)] as [any Optimizer]
  )
  func weightsDecayWithAGradientOfZeroAndStayWithoutOne(optimizer: any Optimizer) {
    let context = Context(engine)
    let weights = (0..<3).map { Parameter("\($0)", context.tensor(rows: 1, columns: 2, [2, -4])) }
    var optimizer = optimizer
    let zeros = context.tensor(rows: 1, columns: 2, [0, 0])
    optimizer.update(
      [
        TrainedParameter("a", weights[0]), TrainedParameter("b", weights[1]),
        TrainedParameter("c", weights[2], decays: false),
      ], [zeros, nil, zeros], factor: 1, in: context)
    for (got, want) in zip(weights[0].value.values, [1.9, -3.8] as [Float]) { #expect(abs(got - want) < 1e-6) }
    #expect(weights[1].value.values == [2, -4] && weights[2].value.values == [2, -4])
  }

  /// A weight whose result the loss does not depend on is used all the same.
  @Test func aWeightWithoutEffectHasAGradientOfZero() {
    let plain = Context(engine)
    let weights = (0..<3).map { Parameter("\($0)", plain.tensor(rows: 1, columns: 2, [1, 2])) }
    let context = Context(engine, training: weights), x = context.tensor(rows: 1, columns: 2, [3, 4])
    _ = context.linear(x, weights[1])
    let gradients = context.gradients(of: context.linear(x, weights[0]))
    #expect(gradients[weights[0]]?.values == [3, 4])
    #expect(gradients[weights[1]]?.values == [0, 0])
    #expect(gradients[weights[2]] == nil)
  }

  /// Tables of embeddings: the gradient of a row is the sum over the tokens that it stands for.
  @Test func tablesLearn() {
    let plain = Context(engine)
    let table = Parameter("t", plain.tensor(rows: 3, columns: 2, [1, 2, 3, 4, 5, 6]))
    let context = Context(engine, training: [table])
    let x = context.embeddings([(table, [2, 0, 2])])
    let factors = Parameter("f", plain.tensor(rows: 1, columns: 6, [1, 2, 3, 4, 5, 6]))
    let gradients = context.gradients(of: context.linear(context.reshaped(x, rows: 1, columns: 6), factors))
    #expect(gradients[table]?.values == [3, 4, 0, 0, 6, 8])
  }
}
