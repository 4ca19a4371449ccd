import Foundation
import HubAdapters
import HubBundle
import HubModels
import HubRegistry
public import HubTensor
import HubTokenizers
public import HubTraining
import HubTransformer
import HubWeights
public import HubWords

/// A recipe with everything it names: the base, the examples, a fresh adapter and head, and what trains them.
public struct TrainingJob {
  /// What is done.
  public let recipe: Recipe
  /// What runs it.
  public let trainer: Trainer
  let hub: Hub
  let engine: Engine
  let base: TrainingBase
  let data: TrainingData
  let fresh: FreshSetup
  let learned: Learned
  /// What figure tells which weights are the best.
  public let metric: String
  /// What the run is: the digest of the recipe, the data, the base, what lies below, and the kernels' instruction set.
  public let identity: Digest

  /// - Parameter isRebuilding: whether the result is installed already
  /// - Throws: ``Failure``: before any data is read, with code ``Failure/Code/invalidRecipe`` at the key that makes no
  ///   sense; then what is wrong with the data, by file and line.
  public init(_ recipe: Recipe, hub: Hub, engine: Engine, isRebuilding: Bool = false) throws {
    let objective = try Self.checked(recipe, hub, isRebuilding)
    (self.recipe, self.hub, self.engine) = (recipe, hub, engine)
    metric = recipe.text("metric") ?? Scores.metrics(of: objective.answer)[0]
    base = try TrainingBase.of(recipe, hub, engine)
    try Self.checkFit(of: objective, to: base, recipe)
    let optimizer = try Self.optimizer(recipe)
    fresh = try FreshSetup(recipe, hub, base, engine)
    try Self.checkLength(recipe, base, fresh)
    data = try TrainingData(recipe, objective, base)
    learned = try Learned(recipe, base, fresh, data, engine)
    let options = Self.options(recipe, base, metric)
    trainer = Trainer(
      learned.model, learned.parameters, optimizer, schedule: { Self.schedule(recipe, $0) },
      maximumNorm: recipe.number("clip", 1) == 0 ? nil : recipe.number("clip", 1), examples: data.train,
      development: data.development, options: options, on: engine)
    identity = Self.identity(recipe, base, data, fresh, engine)
  }

  /// The keys against each other, and against the registry.
  private static func checked(_ recipe: Recipe, _ hub: Hub, _ isRebuilding: Bool) throws -> any Objective.Type {
    guard let objective = Objectives.named(try recipe.required("task")) else {
      throw recipe.failure("task", "there is no such task")
    }
    let learnsBase = recipe.flag("train_base", false)
    for key in ["train", "dev", "test"] { _ = try recipe.file(key) }
    _ = try recipe.required("train")
    for key in ["train", "dev", "test"] where recipe.has(key) && !recipe.has("format") {
      do {
        _ = try DataFormat(ofFile: recipe.text(key) ?? "")
      } catch let failure as Failure {
        throw recipe.failure(key, failure.message, hint: failure.hint)
      }
    }
    for entry in recipe.mapping("columns")?.entries ?? [] {
      let known = objective.columns.required + objective.columns.optional
      guard known.contains(entry.key), entry.value.string != nil else {
        throw recipe.failure(
          "columns", "\(entry.key.debugDescription) is not a column of this task",
          hint: "there are: \(known.joined(separator: ", "))")
      }
    }
    if let metric = recipe.text("metric"), case let known = Scores.metrics(of: objective.answer),
      !known.contains(metric)
    {
      let near = nearest(to: metric, among: known)
      throw recipe.failure(
        "metric", "the task has no figure \(metric.debugDescription)",
        hint: near.isEmpty ? "there are: \(known.joined(separator: ", "))" : "did you mean \(near[0])?")
    }
    func exclude(_ key: String, _ other: String) throws {
      if recipe.has(key), recipe.has(other) { throw recipe.failure(key, "\(key) and \(other) exclude each other") }
    }
    try exclude("batch_tokens", "batch_size")
    try exclude("fuse", "adapter")
    try exclude("new_base", "base")
    func need(_ key: String, with other: String) throws {
      if recipe.has(other), !recipe.has(key) { throw recipe.failure(other, "\(other) needs \(key)") }
    }
    if learnsBase {
      guard objective.task == MaskedWordsObjective.task else {
        throw recipe.failure("train_base", "recipes train a base by masked_lm; other tasks by HubTraining, from code")
      }
      for key in ["adapter", "over", "fuse"] { try exclude("train_base", key) }
      let output = try recipe.required("output")
      let path = output.hasPrefix("/") ? output : "\(recipe.folder)/\(output)"
      guard !FileManager.default.fileExists(atPath: path + "/config.json") else {
        throw recipe.failure("output", "there is a model already", hint: "name another folder, or remove it")
      }
    } else {
      for key in ["new_base", "tokenizer", "output"] where recipe.has(key) {
        throw recipe.failure(key, "\(key) goes with train_base: true")
      }
      if !isRebuilding { try checkName(recipe, hub) }
    }
    try need("tokenizer", with: "new_base")
    return objective
  }

  private static func checkFit(of objective: any Objective.Type, to base: TrainingBase, _ recipe: Recipe) throws {
    guard !objective.suits(base.model) else { return }
    let others = Objectives.all.filter { $0.answer == objective.answer && $0.suits(base.model) }
    throw recipe.failure(
      "task", "\(objective.task) is not for a base like \(base.family.modelType)",
      hint: "take \(others.map { $0.task }.joined(separator: " or "))")
  }

  /// A prompt takes positions from the text.
  private static func checkLength(_ recipe: Recipe, _ base: TrainingBase, _ fresh: FreshSetup) throws {
    let taken = fresh.setup?.takenPositions ?? 0
    guard min(recipe.integer("max_length", 128), base.model.maximumLength) + taken <= base.model.maximumLength else {
      throw recipe.failure(
        "max_length", "the adapter takes \(taken) of the \(base.model.maximumLength) positions of the base",
        hint: "max_length: \(base.model.maximumLength - taken)")
    }
  }

  private static func checkName(_ recipe: Recipe, _ hub: Hub) throws {
    let text = try recipe.required("name")
    do {
      let name = try AdapterName(text), version = try SemanticVersion(recipe.text("version") ?? "1.0.0")
      guard try hub.list().allSatisfy({ $0.name != name || $0.version != version }) else {
        throw recipe.failure(
          "name", "\(name)@\(version) is installed already",
          hint: "set another version, or hub remove \(name)@\(version)")
      }
    } catch let failure as Failure where failure.code != .invalidRecipe {
      throw recipe.failure(recipe.has("version") ? "version" : "name", failure.message, hint: failure.hint)
    }
  }

  private static func options(_ recipe: Recipe, _ base: TrainingBase, _ metric: String) -> TrainingOptions {
    var options = TrainingOptions()
    options.epochs = recipe.integer("epochs", 3)
    options.maximumSteps = recipe.optionalInteger("steps")
    options.batch =
      recipe.optionalInteger("batch_tokens").map(Batches.Size.tokens) ?? .examples(recipe.integer("batch_size", 16))
    options.batchesPerStep = recipe.integer("accumulate", 1)
    options.seed = UInt64(recipe.integer("seed", 1))
    options.dropsInBase = recipe.flag("base_dropout", true)
    options.evaluationInterval = recipe.optionalInteger("evaluate_every")
    options.patience = recipe.optionalInteger("patience")
    options.checkpointInterval = recipe.optionalInteger("checkpoint_every")
    options.metric = metric
    options.masking = Self.masking(recipe, base)
    return options
  }

  static func masking(_ recipe: Recipe, _ base: TrainingBase) -> Masking? {
    base.tokenizer.specialIDs.mask.map {
      Masking(share: recipe.number("mask_share", 0.15), mask: Int($0), vocabulary: base.tokenizer.vocabularySize)
    }
  }

  private static func optimizer(_ recipe: Recipe) throws -> any Optimizer {
    let rate = Float(recipe.number("learning_rate", 1e-4)), decay = Float(recipe.number("weight_decay", 0.01))
    switch recipe.text("optimizer") {
    case "sgd": return SGD(learningRate: rate, momentum: Float(recipe.number("momentum", 0)), weightDecay: decay)
    case "adafactor":
      // Without a rate it has its own.
      return Adafactor(
        learningRate: recipe.has("learning_rate") ? rate : nil, weightDecay: decay,
        scalesByParameter: !recipe.has("learning_rate"))
    default:
      guard !recipe.has("momentum") else { throw recipe.failure("momentum", "momentum goes with optimizer: sgd") }
      return AdamW(learningRate: rate, weightDecay: decay)
    }
  }

  private static func schedule(_ recipe: Recipe, _ totalSteps: Int) -> Schedule {
    let shape = Recipe.schedules.first { $0.name == recipe.text("schedule") ?? "linear" }?.shape ?? .linear
    return Schedule(
      shape, warmupSteps: Int((Double(totalSteps) * recipe.number("warmup", 0.06)).rounded()), totalSteps: totalSteps)
  }

  private static func identity(
    _ recipe: Recipe, _ base: TrainingBase, _ data: TrainingData, _ fresh: FreshSetup, _ engine: Engine
  ) -> Digest {
    var hasher = Digest.Hasher()
    hasher.update(JSON.object(recipe.members).text() + "\n\(base.digest)\n\(engine.kernels.name)\n")
    for file in data.files { hasher.update("\(file.key) \(file.digest)\n") }
    for below in fresh.below { hasher.update("\(below.digest)\n") }
    return hasher.finish()
  }
}

extension Trainer {
  /// The numbers that are trained.
  public var parameterCount: Int { learner.parameters.reduce(0) { $0 + $1.parameter.count } }
}
