import Foundation
import HubModels
import HubWords
import HubWeights

/// The folders that Hugging Face's PEFT saves: `adapter_config.json` with a `peft_type`, and one file with the weights of
/// LoRA and DoRA, (IA)³, prefixes or prompts, and of heads that were trained beside them.
///
/// The weights say which layers are adapted, and how: patterns and regular expressions of the configuration are not
/// evaluated, `alpha_pattern` apart.
public enum PEFT: ForeignFormat {
  public static let name = "peft"

  static let configFile = "adapter_config.json"
  static let weightFiles = ["adapter_model.safetensors", "adapter_model.bin"]

  public static func recognizes(files: Set<String>) -> Bool {
    files.contains(configFile) && !files.isDisjoint(with: weightFiles)
  }

  public static func read(folder: String) throws -> ForeignAdapter {
    let files = try ForeignFolder(folder), json = try files.object(configFile)
    let file = try files.weights(weightFiles, for: configFile)
    return try locating(configFile) {
      try refuseUnsupported(json)
      let families = families(json, file)
      var own: [StoredTensor] = [], others: [StoredTensor] = []
      for tensor in file.tensors {
        let name = families[0].unprefixed(unwrapped(tensor.name)).replacing(".default.", with: ".")
        if isAdapterTensor(name) {
          own.append(tensor.renamed(name))
        } else {
          others.append(tensor.renamed(unwrapped(tensor.name)))
        }
      }
      let method = try PEFTMethod.all[json.string("peft_type")].map { try $0(json, own, families[0]) }
      guard let method else {
        throw Failure(
          .unsupportedForeignContent, "adapters of the type \(try json.string("peft_type")) are not supported",
          at: "peft_type",
          hint: "supported: \(PEFTMethod.all.keys.sorted().joined(separator: ", "))")
      }
      let family = try family(json, families), model = try json.optionalString("base_model_name_or_path")
      return ForeignAdapter(
        format: Self.name, name: URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent, content: .adapter,
        method: method.name, isLanguage: false,
        configuration: method.configuration,
        weights: method.weights.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
        head: try head(others, json, family), architecture: family.modelType,
        modelName: model.flatMap { $0.isEmpty ? nil : $0 },
        hiddenSize: method.hiddenSize, source: json.members,
        notes: files.notes(besides: [configFile, "README.md"] + weightFiles))
    }
  }

  /// What changes the result and cannot be expressed.
  private static func refuseUnsupported(_ json: JSONObject) throws {
    let options = [
      "fan_in_fan_out", "layer_replication", "target_parameters", "trainable_token_indices", "use_qalora", "use_bdlora",
      "alora_invocation_tokens",
    ]
    for option in options {
      guard let value = json.members[option], !value.isNull, value != false, value.array?.isEmpty != true else {
        continue
      }
      throw Failure(
        .unsupportedForeignContent, "the option is not supported, and ignoring it would change the result", at: option)
    }
    guard try json.optionalString("bias") ?? "none" == "none" else {
      throw Failure(
        .unsupportedForeignContent, "adapters that train biases of the base model are not supported", at: "bias")
    }
  }

  /// What PEFT puts before a name of the model.
  private static func unwrapped(_ name: String) -> String {
    for prefix in ["base_model.model.", "base_model."] where name.hasPrefix(prefix) {
      return String(name.dropFirst(prefix.count))
    }
    return name
  }

  private static func isAdapterTensor(_ name: String) -> Bool {
    name == "prompt_embeddings" || name.contains(".lora_") || name.hasSuffix(".ia3_l")
  }

  /// The families that the base model may be of: the one that the file names, or those whose modules it names.
  private static func families(_ json: JSONObject, _ file: WeightFile) -> [ModelFamily] {
    if let family = modelType(json).flatMap(ModelFamilies.family(of:)) { return [family] }
    let named = ModelFamilies.families(naming: file.tensors.map { unwrapped($0.name) })
    return named.isEmpty ? [.bert] : named
  }

  /// `xlm-roberta`, from the module that defines the model's class: `transformers.models.xlm_roberta.modeling_xlm_roberta`.
  private static func modelType(_ json: JSONObject) -> String? {
    guard let library = json.members["auto_mapping"]?["parent_library"]?.string else { return nil }
    let parts = library.split(separator: ".")
    return parts.count > 2 && parts[1] == "models" ? String(parts[2]).replacing("_", with: "-") : nil
  }

  /// Families that call everything alike are told apart by the name of the model.
  private static func family(_ json: JSONObject, _ families: [ModelFamily]) throws -> ModelFamily {
    let name = try json.optionalString("base_model_name_or_path")?.lowercased() ?? ""
    return families.first { $0.modelType.contains("-") && name.contains($0.modelType) } ?? families[0]
  }

  /// The head in `modules_to_save`.
  private static func head(
    _ tensors: [StoredTensor], _ json: JSONObject, _ family: ModelFamily
  ) throws -> ForeignAdapter.Head? {
    guard !tensors.isEmpty else { return nil }
    let tasks = [
      "SEQ_CLS": "ForSequenceClassification", "TOKEN_CLS": "ForTokenClassification",
      "QUESTION_ANS": "ForQuestionAnswering",
    ]
    let named = json.members["auto_mapping"]?["base_model_class"]?.string
    let guessed = try json.optionalString("task_type").flatMap { tasks[$0] }.map { family.className + $0 }
    guard let modelClass = named ?? guessed, let form = family.head(ofClass: modelClass) else {
      throw Failure(
        .unsupportedForeignContent, "\(tensors[0].name) belongs to no head that is known", at: "modules_to_save",
        hint: "task_type or auto_mapping must name the class of the model")
    }
    let weights = try tensors.map { tensor in
      guard case .tensor(let stable)? = form.meaning(ofTensor: tensor.name) else {
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
