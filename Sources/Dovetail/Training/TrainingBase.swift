import Foundation
import HubAdapters
import HubAdapters
import HubBundle
import HubModels
import HubRegistry
import HubTensor
import HubTokenizers
import HubTraining
import HubTransformer
import HubWeights
import HubWords

/// The model that a recipe builds on: one of the registry, as it is or with weights that learn, or one that begins from
/// nothing.
struct TrainingBase {
  let model: any BaseModel
  let tokenizer: any Tokenizer
  /// `nil` for a model that learns: it becomes another one.
  let identity: Manifest.Base?
  /// All weights, where they learn.
  var parameters: [Parameter] = []
  let family: ModelFamily
  /// The content of `config.json`.
  let configuration: JSON.Members
  /// The folder that the tokenizer is from.
  let folder: String
  /// What tells this base from others.
  let digest: Digest
  /// The checkpoint that it is from.
  let checkpoint: Checkpoint?
  /// What a decoder or encoder-decoder writes with.
  var writingHead: Result<(any Head)?, Failure> = .success(nil)
  /// What ends a text that it writes.
  var endToken: Int?

  /// - Throws: ``Failure`` at the recipe's keys: no such model, a configuration that is not supported.
  static func of(_ recipe: Recipe, _ hub: Hub, _ engine: Engine) throws -> TrainingBase {
    if let configuration = recipe.mapping("new_base") { return try TrainingBase(new: configuration, recipe, engine) }
    return try TrainingBase(registered: recipe.required("base"), recipe, hub, engine)
  }

  private init(registered name: String, _ recipe: Recipe, _ hub: Hub, _ engine: Engine) throws {
    let record: BaseModelRecord
    do {
      record = try hub.registry.baseModel(name)
    } catch let failure as Failure {
      throw recipe.failure("base", failure.message, hint: failure.hint)
    }
    let checkpoint = try Checkpoint(folder: record.folder)
    family = checkpoint.family
    configuration = checkpoint.configuration.members
    folder = record.folder
    digest = record.description.fingerprint
    self.checkpoint = checkpoint
    if recipe.flag("train_base", false) {
      (model, parameters) = try checkpoint.weights.load(engine: engine, sharing: [:], checkpoint.model)
      tokenizer = try TokenizerFile.load(folder: record.folder)
      identity = nil
    } else {
      let base = try hub.baseModel(name, engine: engine)
      (model, tokenizer, identity) = (base.model, base.tokenizer, base.identity)
      writingHead = base.writingHead
      endToken = try base.endToken()
    }
  }

  /// A model whose weights are drawn from the seed.
  private init(new configuration: JSON.Members, _ recipe: Recipe, _ engine: Engine) throws {
    guard let folder = try recipe.file("tokenizer") else {
      throw recipe.failure("new_base", "a model trained from scratch needs a tokenizer", hint: "tokenizer: FOLDER")
    }
    self.folder = folder
    tokenizer = try locating(recipe.place(of: "tokenizer")) { try TokenizerFile.load(folder: folder) }
    var configuration = configuration
    if configuration["vocab_size"] == nil { configuration["vocab_size"] = .integer(tokenizer.vocabularySize) }
    if configuration["pad_token_id"] == nil, let pad = tokenizer.specialIDs.pad {
      configuration["pad_token_id"] = .integer(Int(pad))
    }
    self.configuration = configuration
    let source = CollectedParameters(
      FreshParameters(seed: UInt64(recipe.integer("seed", 1)), engine: engine))
    (family, model) = try locating(recipe.place(of: "new_base")) {
      let object = JSONObject(configuration)
      return (
        try BaseModels.family(of: object), try BaseModels.model(object, from: ParameterSource(BaseInitials(source)))
      )
    }
    parameters = source.parameters
    identity = nil
    digest = Digest(of: Array(JSON.object(configuration).text().utf8))
    checkpoint = nil
    guard tokenizer.vocabularySize <= model.vocabularySize else {
      throw recipe.failure(
        "new_base", "the tokenizer has \(tokenizer.vocabularySize) tokens, but vocab_size is \(model.vocabularySize)")
    }
  }
}

/// How BERT begins (Devlin et al. 2019): matrices and tables around zero with a deviation of 0.02.
private struct BaseInitials: ParameterProvider {
  private let source: any ParameterProvider

  init(_ source: any ParameterProvider) { self.source = source }

  func has(_ name: String) -> Bool { source.has(name) }

  func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    let isTable = shape.count == 2 && initial == .zeros
    return try source.parameter(name, shape, initially: isTable ? .normal(deviation: 0.02) : initial)
  }
}
