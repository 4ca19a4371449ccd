public import HubTensor

/// How the losses of the batches of a step become one.
public enum Accumulation: String, CaseIterable, Sendable {
  /// The mean of the batches' losses.
  case mean
  /// Their sum.
  case sum
  /// The mean over all labels of the step: a batch counts by how many it has.
  case items
}

/// The loss of one batch.
public struct BatchLoss {
  /// `[1, 1]`, the mean over what the batch teaches.
  public let value: Tensor
  /// Over how many labels it is the mean.
  public let items: Int

  public init(_ value: Tensor, items: Int = 1) { (self.value, self.items) = (value, items) }
}

/// What a step came to.
public struct StepReport: Sendable {
  /// The loss before the step.
  public let loss: Double
  /// The root of the sum of the squares of all gradients, before they were clipped.
  public let gradientNorm: Double
  /// The learning rate of the step, divided by the full one.
  public let rateFactor: Double
  /// The gradients, before they were clipped; `nil` for a parameter that no pass used.
  public let gradients: [Tensor?]

  /// Whether the loss and all gradients are numbers.
  public var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
}

/// Takes steps: from the losses of batches to changed parameters. What the losses are of is the caller's business.
public struct Learner: Sendable {
  /// What is trained.
  public let parameters: [TrainedParameter]
  /// What moves the parameters.
  public var optimizer: any Optimizer
  /// How the learning rate changes.
  public let schedule: Schedule
  /// Gradients are scaled down to this norm, taken over all parameters; `nil` leaves them.
  public let maximumNorm: Double?
  /// How the losses of a step's batches become one.
  public let accumulation: Accumulation
  /// The steps taken so far.
  public private(set) var steps = 0

  public init(
    _ parameters: [TrainedParameter], _ optimizer: any Optimizer, schedule: Schedule = Schedule(),
    maximumNorm: Double? = nil, accumulation: Accumulation = .mean
  ) {
    self.parameters = parameters
    self.optimizer = optimizer
    self.schedule = schedule
    self.maximumNorm = maximumNorm
    self.accumulation = accumulation
  }

  /// What the learning rate of the next step is multiplied by.
  public var rateFactor: Double { schedule.factor(at: steps, learningRate: Double(optimizer.learningRate ?? 1)) }

  /// Goes on from where another learner stopped.
  public mutating func resume(after steps: Int, _ state: OptimizerState) {
    self.steps = steps
    optimizer.state = state
  }

  /// One step over one or more batches. If the loss or a gradient is not a number, nothing is changed, and the report
  /// says so.
  ///
  /// - Parameters:
  ///   - batches: what ``Accumulation`` is over; each has a pass of its own
  ///   - itemCount: with ``Accumulation/items``, the labels of all batches
  ///   - randomness: of each batch, where dropout acts
  ///   - loss: of one batch
  public mutating func step<Batch>(
    _ batches: [Batch], itemCount: Int? = nil, on engine: Engine, randomness: (Int) -> Randomness? = { _ in nil },
    loss: (Batch, Context) throws -> BatchLoss
  ) throws -> StepReport {
    var sums = [Tensor?](repeating: nil, count: parameters.count), total = 0.0
    let weights = parameters.map(\.parameter), plain = Context(engine)
    for (index, batch) in batches.enumerated() {
      let context = Context(engine, training: weights, randomness: randomness(index))
      let part = try loss(batch, context), share = share(of: part, among: batches.count, itemCount)
      total += Double(part.value.values[0]) * share
      let gradients = context.gradients(of: share == 1 ? part.value : context.scaled(part.value, by: Float(share)))
      for (place, parameter) in weights.enumerated() {
        guard let gradient = gradients[parameter] else { continue }
        sums[place] = sums[place].map { plain.add($0, gradient) } ?? gradient
      }
    }
    let norm = sums.reduce(0.0) { $0 + ($1?.sumOfSquares ?? 0) }.squareRoot(), factor = rateFactor
    let report = StepReport(loss: total, gradientNorm: norm, rateFactor: factor, gradients: sums)
    guard report.isFinite else { return report }
    if let maximumNorm, case let scale = maximumNorm / (norm + 1e-6), scale < 1 {
      for index in sums.indices { sums[index] = sums[index].map { plain.scaled($0, by: Float(scale)) } }
    }
    optimizer.update(parameters, sums, factor: factor, in: plain)
    steps += 1
    return report
  }

  private func share(of part: BatchLoss, among count: Int, _ itemCount: Int?) -> Double {
    switch accumulation {
    case .mean: 1 / Double(count)
    case .sum: 1
    case .items: Double(part.items) / Double(max(1, itemCount ?? part.items))
    }
  }
}
