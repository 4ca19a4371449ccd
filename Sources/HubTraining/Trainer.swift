import HubTransformer
public import HubTensor
public import HubWords

extension Failure.Code {
  /// A loss or a gradient is not a number, or beyond what float32 holds.
  public static let divergence = Self("training/not-finite", .badData)
}

/// How a run goes, besides what it learns.
public struct TrainingOptions: Sendable {
  /// How often each example is seen.
  public var epochs = 3
  /// The most steps; `nil` for as many as the epochs have.
  public var maximumSteps: Int?
  /// What ends a batch.
  public var batch = Batches.Size.examples(16)
  /// The batches of a step, each with a pass of its own.
  public var batchesPerStep = 1
  /// What all random choices follow from.
  public var seed: UInt64 = 1
  /// Whether dropout acts in the base model, too.
  public var dropsInBase = true
  /// The steps between evaluations; `nil` for one after each epoch.
  public var evaluationInterval: Int?
  /// After this many evaluations without a gain the run ends; `nil` for never.
  public var patience: Int?
  /// The figure that tells which weights are the best; one of ``Scores/metrics(of:)``.
  public var metric = "loss"
  /// The steps between checkpoints, besides those at evaluations; `nil` for none.
  public var checkpointInterval: Int?
  /// How words are hidden, for a language model.
  public var masking: Masking?

  public init() {}
}

/// What one evaluation came to.
public struct EvaluationRecord: Hashable, Sendable {
  /// The steps taken before it.
  public let step: Int
  /// The figures by name.
  public let figures: JSON.Members
}

/// Runs a recipe: steps, evaluations, checkpoints. From the same model, examples and options it comes to the same
/// weights, however many threads the engine has and wherever it was interrupted.
public final class Trainer {
  /// What a run tells while it goes on.
  public enum Event {
    case step(number: Int, of: Int, report: StepReport, learningRate: Double, tokens: Int)
    case evaluation(EvaluationRecord, isBest: Bool)
    case checkpoint(step: Int)
  }

  /// How a run ended.
  public enum Ending: String, Sendable {
    case finished
    /// No gain for as many evaluations as the options allow.
    case stoppedEarly = "stopped early"
    /// The caller asked for it.
    case interrupted
  }

  /// What is learned.
  public let model: TrainingModel
  /// What takes the steps.
  public private(set) var learner: Learner
  /// All evaluations so far.
  public private(set) var evaluations: [EvaluationRecord] = []
  /// The one with the best figure.
  public private(set) var best: EvaluationRecord?

  private let options: TrainingOptions
  private let examples, development: [TrainingExample]
  private let engine: Engine
  private let batches: Batches
  private var bestWeights: [Tensor]?
  private var evaluationsWithoutGain = 0

  /// - Parameters:
  ///   - schedule: for the total number of steps, which the trainer knows
  public init(
    _ model: TrainingModel, _ parameters: [TrainedParameter], _ optimizer: any Optimizer,
    schedule: (_ totalSteps: Int) -> Schedule = { _ in Schedule() }, maximumNorm: Double? = nil,
    examples: [TrainingExample], development: [TrainingExample] = [], options: TrainingOptions, on engine: Engine
  ) {
    self.model = model
    self.examples = examples
    self.development = development
    self.options = options
    self.engine = engine
    batches = Batches(examples, options.batch, seed: options.seed)
    totalSteps = Self.totalSteps(batches, options)
    learner = Learner(
      parameters, optimizer, schedule: schedule(totalSteps), maximumNorm: maximumNorm, accumulation: .items)
  }

  /// The steps of the whole run.
  public let totalSteps: Int

  private static func totalSteps(_ batches: Batches, _ options: TrainingOptions) -> Int {
    let all = (0..<options.epochs).reduce(0) {
      $0 + stepCount(batches.batches(ofEpoch: $1).count, options)
    }
    return min(all, options.maximumSteps ?? all)
  }

  private static func stepCount(_ batches: Int, _ options: TrainingOptions) -> Int {
    (batches + options.batchesPerStep - 1) / options.batchesPerStep
  }

  /// Takes the steps that are left.
  ///
  /// - Parameters:
  ///   - checkpoint: where a checkpoint is written; `nil` for none
  ///   - shouldStop: asked after each step; then a checkpoint is written and the run ends
  /// - Throws: ``Failure`` with code ``Failure/Code/divergence``; the last checkpoint stays as it is. Also what the
  ///   model and the file system throw.
  public func run(
    checkpoint: TrainingCheckpoint? = nil, shouldStop: () -> Bool = { false }, observe: (Event) -> Void = { _ in }
  ) throws -> Ending {
    func save() throws {
      guard let checkpoint else { return }
      try checkpoint.write(state)
      observe(.checkpoint(step: learner.steps))
    }
    var first = 0
    for epoch in 0..<options.epochs where learner.steps < totalSteps {
      let batches = batches.batches(ofEpoch: epoch), count = Self.stepCount(batches.count, options)
      defer { first += count }
      guard first + count > learner.steps else { continue }
      for index in (learner.steps - first)..<count where learner.steps < totalSteps {
        let start = index * options.batchesPerStep
        try step(Array(batches[start..<min(batches.count, start + options.batchesPerStep)]), observe)
        let isLast = learner.steps == totalSteps || index == count - 1
        if options.evaluationInterval.map({ learner.steps % $0 == 0 || learner.steps == totalSteps }) ?? isLast {
          try evaluate(observe)
          try save()
        } else if options.checkpointInterval.map({ learner.steps % $0 == 0 }) ?? false {
          try save()
        }
        if let patience = options.patience, evaluationsWithoutGain >= patience { return .stoppedEarly }
        if shouldStop() {
          try save()
          return .interrupted
        }
      }
    }
    return .finished
  }

  private func step(_ indices: [[Int]], _ observe: (Event) -> Void) throws {
    let number = learner.steps, seed = options.seed
    var generator = Randomness(seed: seed, pass: number).generator(for: 3)
    let batches = indices.map { TrainingBatch($0.map { examples[$0] }, masking: options.masking, &generator) }
    let rate = learner.rateFactor * Double(learner.optimizer.learningRate ?? 1)
    let report = try learner.step(
      batches, itemCount: batches.reduce(0) { $0 + $1.targets[0].itemCount }, on: engine,
      randomness: {
        Randomness(
          seed: seed, pass: number * options.batchesPerStep + $0, reachesBase: options.dropsInBase)
      }, loss: model.loss)
    guard report.isFinite else { throw failure(report, step: number + 1) }
    let tokens = batches.reduce(0) { $0 + $1.tokens.ids.count }
    observe(.step(number: learner.steps, of: totalSteps, report: report, learningRate: rate, tokens: tokens))
  }

  private func failure(_ report: StepReport, step: Int) -> Failure {
    let wrong = zip(learner.parameters, report.gradients).first { $1.map { !$0.isFinite } ?? false }?.0.name
    return Failure(
      .divergence, wrong == nil ? "the loss is not finite" : "a gradient is not finite",
      at: "step \(step)" + (wrong.map { ", \($0)" } ?? ""),
      hint: "the last checkpoint is kept; a smaller learning rate, a warm-up or clipping may help")
  }

  private func evaluate(_ observe: (Event) -> Void) throws {
    guard !development.isEmpty else { return }
    let scores = try model.scores(of: development, masking: options.masking, seed: options.seed, on: engine)
    // In the order in which a checkpoint has them.
    let figures = scores.figures.sorted { $0.name < $1.name }.reduce(into: JSON.Members()) {
      $0[$1.name] = $1.value.isFinite ? .number($1.value) : .null
    }
    let record = EvaluationRecord(step: learner.steps, figures: figures), value = scores.figure(options.metric)
    let least = best?.figures[options.metric]?.number
    let isBest = least.map { Scores.isLowerBetter(options.metric) ? value < $0 : value > $0 } ?? true
    evaluations.append(record)
    evaluationsWithoutGain = isBest ? 0 : evaluationsWithoutGain + 1
    if isBest {
      best = record
      bestWeights = weights
    }
    observe(.evaluation(record, isBest: isBest))
  }

  private var weights: [Tensor] { learner.parameters.map(\.parameter.value) }

  /// Puts the weights of the best evaluation in the place of the last ones, if there was one.
  public func keepBest() {
    if let bestWeights { put(bestWeights) }
  }

  private func put(_ values: [Tensor]) {
    let context = Context(engine)
    for (trained, tensor) in zip(learner.parameters, values) {
      trained.parameter.update(in: context) { _ = $0.update(fromContentsOf: tensor.values) }
    }
  }

  /// Everything that the run's future depends on.
  var state: TrainingState {
    TrainingState(
      steps: learner.steps, weights: weights, best: bestWeights, optimizer: learner.optimizer.state,
      names: learner.parameters.map(\.name), evaluations: evaluations, bestStep: best?.step,
      evaluationsWithoutGain: evaluationsWithoutGain)
  }

  /// Goes on from a checkpoint.
  ///
  /// - Throws: ``Failure`` if it is of another run, or cannot be read.
  public func resume(from checkpoint: TrainingCheckpoint) throws {
    let state = try checkpoint.read(learner.parameters, in: Context(engine))
    put(state.weights)
    bestWeights = state.best
    learner.resume(after: state.steps, state.optimizer)
    evaluations = state.evaluations
    best = state.bestStep.flatMap { step in state.evaluations.first { $0.step == step } }
    evaluationsWithoutGain = state.evaluationsWithoutGain
  }
}
