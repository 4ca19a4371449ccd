import HubAdapters
import HubModels
import HubTensor
import HubTraining
import HubTransformer
import HubWeights
import HubWords

/// What a recipe trains: an adapter or a fusion with its head, or a base with its.
struct Learned {
  /// What the losses are of.
  let model: TrainingModel
  /// The weights that learn.
  let parameters: [TrainedParameter]
  let headConfiguration: JSON.Members

  init(_ recipe: Recipe, _ base: TrainingBase, _ fresh: FreshSetup, _ data: TrainingData, _ engine: Engine) throws {
    let head: any Head
    (head, headConfiguration) = try Self.head(recipe, base, data, engine)
    var model = TrainingModel(base: base.model, setup: fresh.setup, heads: [head])
    model.regularizedFusions = fresh.fusions
    model.labelSmoothing = Float(recipe.number("label_smoothing", 0))
    self.model = model
    // A last layer that is the base's table of words learns as that table, or not at all.
    let writes = data.objective.answer == .word && base.model.writes
    let frozen = base.identity == nil ? [] : writes ? head.parameters : head.frozenParameters
    let left = Set((fresh.frozen + base.parameters + frozen).map(ObjectIdentifier.init))
    parameters =
      TrainedParameter.named(base.parameters, prefix: "base.")
      + TrainedParameter.named(fresh.weights.filter { !left.contains(ObjectIdentifier($0)) }, prefix: "adapter.")
      + TrainedParameter.named(head.parameters.filter { !left.contains(ObjectIdentifier($0)) }, prefix: "head.")
  }

  /// A fresh head; for guessing words that of the checkpoint, if it has one. Its last layer is the base's table of
  /// words.
  private static func head(
    _ recipe: Recipe, _ base: TrainingBase, _ data: TrainingData, _ engine: Engine
  ) throws -> (any Head, JSON.Members) {
    let shape = base.model.shape, fresh = FreshParameters(seed: recipe.seed(1), engine: engine)
    var configuration = try data.objective.head(
      labels: data.labels, rows: data.rows, shape: shape, vocabularySize: base.model.vocabularySize)
    if base.model.writes, data.objective.answer == .word {
      guard let head = try base.writingHead.get() else {
        throw recipe.failure("base", "the base has no head that names words", hint: "take a checkpoint for generation")
      }
      return (head, configuration)
    }
    guard data.objective.answer == .word else {
      configuration["dropout_prob"] = .number(recipe.number("head_dropout", 0.1))
      guard let type = Heads.all.first(where: { $0.types.contains(configuration["head_type"]?.string ?? "") }) else {
        throw Failure(.unsupportedHead, "there is no head for this task", at: data.objective.task)
      }
      let head = try type.init(
        configuration: JSONObject(configuration), shape: shape, weights: ParameterSource(fresh))
      return (head, configuration)
    }
    let words = base.family.wordEmbeddings + ".weight", table = base.parameters.first { $0.name == words }
    if let checkpoint = base.checkpoint, let own = try CheckpointHead(checkpoint, keepsBias: true),
      own.configuration["head_type"] == "masked_lm"
    {
      let head = try Heads.load(
        JSONObject(own.configuration), own.weights, shape: shape, engine: engine,
        sharing: table.map { ["decoder.weight": $0] } ?? [:])
      return (head, own.configuration)
    }
    let stored = base.checkpoint?.weights.tensors[words]
    let decoder =
      try table
      ?? stored.map {
        try StoredParameters(["decoder.weight": $0], engine: engine).parameter(
          "decoder.weight", $0.shape, initially: .zeros)
      }
    let source = CollectedParameters(fresh, sharing: decoder.map { ["decoder.weight": $0] } ?? [:])
    return (
      try LanguageModelHead(configuration: JSONObject(configuration), shape: shape, weights: ParameterSource(source)),
      configuration
    )
  }
}
