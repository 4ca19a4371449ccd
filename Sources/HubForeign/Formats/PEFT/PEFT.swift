import Foundation
import HubModels
import HubWords
import HubWeights

/// The folders that Hugging Face's PEFT saves: `adapter_config.json` with a `peft_type`, and one file with the weights
/// of the adapter, and of heads that were trained beside it.
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

  public static func read(folder: String, _ hints: ForeignHints) throws -> ForeignAdapter {
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
      let families = try families(json, file, hints), sorted = try PEFTFiles(json, file.tensors, of: families[0])
      let method = try read(sorted), model = try json.optionalString("base_model_name_or_path")
      var notes = files.notes(besides: [configFile, "README.md"] + weightFiles)
      var (head, fitting) = try head(sorted.others, json, families)
      if let pooler = method.pooler {
        if var own = head, own.configuration["use_pooler"] == true {
          own.weights += pooler.weights
          own.configuration = own.configuration.with(pooler.configuration)
          head = own
        } else {
          notes.append("what acts on the pooler was left out: no head reads it")
        }
      }
      var adapter = ForeignAdapter(
        format: Self.name, name: URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent, content: .adapter,
        method: method.name, isLanguage: false, configuration: method.configuration,
        weights: method.weights.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
        head: head, architecture: fitting.removeFirst(), alternatives: fitting,
        modelName: model.flatMap { $0.isEmpty ? nil : $0 },
        hiddenSize: method.hiddenSize, source: json.members, notes: notes)
      adapter.encoderLayers = sorted.encoderLayers
      return adapter
    }
  }

  /// The families that the base model may be of: the one that the files or the user name, or else those whose modules
  /// the tensors name. Names of models say nothing: they may be paths.
  private static func families(_ json: JSONObject, _ file: WeightFile, _ hints: ForeignHints) throws -> [ModelFamily] {
    if let type = modelType(json) {
      if let family = ModelFamilies.family(of: type) { return [family] }
      throw Failure(
        .unsupportedForeignContent, "adapters of a \(type.debugDescription) are not supported", at: "auto_mapping")
    }
    let named = ModelFamilies.families(naming: file.tensors.map { PEFTFiles.unwrapped($0.name) })
    let families = named.isEmpty ? ModelFamilies.all : named
    guard let type = hints.baseType else { return families }
    guard let family = families.first(where: { $0.modelType == type }) else {
      throw Failure(
        .contradictedHint, "the files are of an adapter for \(families.map(\.modelType).joined(separator: " or "))",
        at: "--base-type")
    }
    return [family]
  }

  /// `xlm-roberta`, from the module that defines the model's class:
  /// `transformers.models.xlm_roberta.modeling_xlm_roberta`.
  private static func modelType(_ json: JSONObject) -> String? {
    guard let library = json.members["auto_mapping"]?["parent_library"]?.string else { return nil }
    let parts = library.split(separator: ".")
    return parts.count > 2 && parts[1] == "models" ? String(parts[2]).replacing("_", with: "-") : nil
  }

  /// The head in `modules_to_save`, and the types of models that have such a one.
  private static func head(
    _ tensors: [StoredTensor], _ json: JSONObject, _ families: [ModelFamily]
  ) throws -> (ForeignAdapter.Head?, [String]) {
    guard !tensors.isEmpty else { return (nil, families.map(\.modelType)) }
    var found: [(type: String, head: ForeignAdapter.Head)] = [], failure: (any Error)?
    for family in families {
      do {
        found.append((family.modelType, try head(tensors, json, of: family)))
      } catch {
        failure = failure ?? error
      }
    }
    guard let first = found.first else {
      throw failure
        ?? Failure(.unsupportedForeignContent, "the head does not belong to any known model", at: "modules_to_save")
    }
    guard found.allSatisfy({ $0.head.configuration == first.head.configuration }) else {
      throw Failure(
        .unsupportedForeignContent,
        "the files do not say which model they are for, and this head could belong to \(found.map(\.type).joined(separator: " or "))",
        at: "base_model_name_or_path", hint: "say it with --base-type")
    }
    return (first.head, found.map(\.type))
  }

  private static func head(
    _ tensors: [StoredTensor], _ json: JSONObject, of family: ModelFamily
  ) throws -> ForeignAdapter.Head {
    let tasks = [
      "SEQ_CLS": "ForSequenceClassification", "TOKEN_CLS": "ForTokenClassification",
      "QUESTION_ANS": "ForQuestionAnswering",
    ]
    let named = json.members["auto_mapping"]?["base_model_class"]?.string
    let guessed = try json.optionalString("task_type").flatMap { tasks[$0] }.map { family.className + $0 }
    guard let modelClass = named ?? guessed, let form = family.head(ofClass: modelClass) else {
      throw Failure(
        .unsupportedForeignContent, "\(tensors[0].name) does not belong to any known head", at: "modules_to_save",
        hint: "task_type or auto_mapping must name the class of the model")
    }
    let weights = try tensors.map { tensor in
      guard case .tensor(let stable)? = form.meaning(ofTensor: tensor.name) else {
        throw Failure(.unknownForeignTensor, "a \(modelClass) has no place for the tensor", at: tensor.name)
      }
      return tensor.renamed(stable)
    }
    var configuration = form.configuration
    let layers = configuration["layers"]?.integer ?? 1, last = "linear.\(layers - 1).weight"
    // One family's `classifier.` is the beginning of another's `classifier.dense.`.
    let own = Set(weights.map(\.name))
    guard (0..<layers).allSatisfy({ own.contains("linear.\($0).weight") }), own.allSatisfy({ $0.dotted.count == 3 })
    else {
      throw Failure(.unknownForeignTensor, "the tensors do not make the head of a \(modelClass)", at: tensors[0].name)
    }
    configuration["num_labels"] = .integer(weights.first { $0.name == last }?.shape.first ?? 2)
    return ForeignAdapter.Head(name: "default", configuration: configuration, weights: weights)
  }
}
