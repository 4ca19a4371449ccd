import Foundation
import HubManifest
import HubWeights

/// The folders that Hugging Face's PEFT saves: `adapter_config.json` with a `peft_type`, and one file with the weights of
/// the adapter, and of heads that were trained beside it.
///
/// The weights say which layers are adapted, and how; the configuration is held against them (``PEFTTargets``).
public enum PEFT: ForeignFormat {
  public static let name = "peft"

  static let configFile = "adapter_config.json"
  /// PEFT writes the first two; the others are what trainers of whole models leave in their folders.
  static let weightFiles = ["adapter_model.safetensors", "adapter_model.bin", "pytorch_model.bin", "model.safetensors"]

  public static func recognizes(_ folder: ForeignFolder) -> Bool {
    guard folder.files.contains(configFile) else { return false }
    if let config = try? folder.object(configFile) { return config.members["peft_type"] != nil }
    return !folder.files.isDisjoint(with: weightFiles.prefix(2))
  }

  public static func read(folder: String) throws -> ForeignAdapter {
    let files = try ForeignFolder(folder), json = try files.object(configFile)
    let read = try locating(configFile) { () -> (@Sendable (PEFTFiles) throws -> PEFTMethod) in
      let type = try json.string("peft_type")
      if let read = PEFTMethod.all[type] { return read }
      throw Failure(
        .unsupportedForeignContent, "adapters of the type \(type.debugDescription) are not supported", at: "peft_type",
        hint: "supported: \(PEFTMethod.all.keys.sorted().joined(separator: ", "))")
    }
    let file = try files.weights(weightFiles, for: configFile)
    return try locating(configFile) {
      let names = try modules(json, file), sorted = try PEFTFiles(json, file.tensors, names)
      let method = try read(sorted), model = try json.optionalString("base_model_name_or_path")
      let (architecture, alternatives) = try architecture(json, names)
      var notes = files.notes(besides: [configFile, "README.md"] + weightFiles)
      var head = try head(sorted.others, json, architecture)
      if let pooler = method.pooler {
        if var own = head, own.configuration["use_pooler"] == true {
          own.weights += pooler.weights
          own.configuration = own.configuration.with(pooler.configuration)
          head = own
        } else {
          notes.append("what acts on the pooler was left out: no head reads it")
        }
      }
      return ForeignAdapter(
        format: Self.name, name: URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent, content: .adapter,
        method: method.name, isLanguage: false, configuration: method.configuration,
        weights: method.weights.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
        head: head, architecture: architecture, alternatives: alternatives,
        modelName: model.flatMap { $0.isEmpty ? nil : $0 },
        hiddenSize: method.hiddenSize, source: json.members, notes: notes)
    }
  }

  private static func modules(_ json: JSONObject, _ file: WeightFile) throws -> ModuleNames {
    if let model = modelType(json), let modules = ModuleNames.of(model: model) { return modules }
    let names = file.tensors.lazy.map { name in
      ["_orig_mod.", "module.", "base_model.model.", "base_model."].reduce(name.name) { $0.after($1) ?? $0 }
    }
    return names.compactMap { ModuleNames.of(tensor: $0) }.first ?? .bert
  }

  /// `xlm-roberta`, from the module that defines the model's class: `transformers.models.xlm_roberta.modeling_xlm_roberta`.
  private static func modelType(_ json: JSONObject) -> String? {
    guard let library = json.members["auto_mapping"]?["parent_library"]?.string else { return nil }
    let parts = library.split(separator: ".")
    return parts.count > 2 && parts[1] == "models" ? String(parts[2]).replacing("_", with: "-") : nil
  }

  /// The base model's `model_type`, and others whose modules are called the same where the files do not tell which it was.
  /// Names of models say nothing: they may be paths.
  private static func architecture(_ json: JSONObject, _ modules: ModuleNames) throws -> (String, [String]) {
    if let type = modelType(json) { return (type, []) }
    return (modules.models[0], Array(modules.models.dropFirst()))
  }

  /// The head in `modules_to_save`.
  private static func head(
    _ tensors: [StoredTensor], _ json: JSONObject, _ architecture: String
  ) throws -> ForeignAdapter.Head? {
    guard !tensors.isEmpty else { return nil }
    let tasks = [
      "SEQ_CLS": "ForSequenceClassification", "TOKEN_CLS": "ForTokenClassification",
      "QUESTION_ANS": "ForQuestionAnswering",
    ]
    let family = ModuleNames.of(model: architecture)?.className(architecture)
    let named = json.members["auto_mapping"]?["base_model_class"]?.string
    let guessed = try json.optionalString("task_type").flatMap { tasks[$0] }.flatMap { task in family.map { $0 + task }
    }
    guard let modelClass = named ?? guessed, let form = CheckpointHeadForm.of(modelClass) else {
      throw Failure(
        .unsupportedForeignContent, "\(tensors[0].name) belongs to no head that is known", at: "modules_to_save",
        hint: "task_type or auto_mapping must name the class of the model")
    }
    let weights = try tensors.map { tensor in
      guard let stable = form.stable(tensor.name), stable != CheckpointHeadForm.unused else {
        throw Failure(.unknownForeignTensor, "the tensor belongs to nothing in a \(modelClass)", at: tensor.name)
      }
      return tensor.renamed(stable)
    }
    var configuration = form.configuration
    let last = "linear.\((configuration["layers"]?.integer ?? 1) - 1).weight"
    configuration["num_labels"] = .integer(weights.first { $0.name == last }?.shape.first ?? 2)
    return ForeignAdapter.Head(name: "default", configuration: configuration, weights: weights)
  }
}
