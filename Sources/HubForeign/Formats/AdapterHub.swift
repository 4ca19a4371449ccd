import HubModels
import HubWords
import HubWeights

/// The folders that the Python library `adapters` saves: an adapter, a fusion layer or a prediction head, each a JSON
/// file and a weight file, as safetensors or as a torch pickle.
public enum AdapterHub: ForeignFormat {
  public static let name = "adapterhub"

  static let adapterConfig = "adapter_config.json"
  static let fusionConfig = "adapter_fusion_config.json"
  static let headConfig = "head_config.json"

  public static func recognizes(_ folder: ForeignFolder) -> Bool {
    !folder.files.isDisjoint(with: [adapterConfig, fusionConfig, headConfig])
  }

  public static func read(folder: String, _ hints: ForeignHints) throws -> ForeignAdapter {
    let folder = try ForeignFolder(folder)
    var adapter: ForeignAdapter
    if folder.files.contains(adapterConfig) {
      adapter = try readAdapter(folder)
    } else if folder.files.contains(fusionConfig) {
      adapter = try readFusion(folder)
    } else {
      return try readHeadAlone(folder)
    }
    if folder.files.contains(headConfig) {
      (adapter.head, adapter.source["head"]) = try readHead(folder, &adapter.notes)
    }
    let used = [
      adapterConfig, fusionConfig, headConfig, "adapter.safetensors", "pytorch_adapter.bin",
      "model_adapter_fusion.safetensors",
      "pytorch_model_adapter_fusion.bin", "model_head.safetensors", "pytorch_model_head.bin",
    ]
    adapter.notes += folder.notes(besides: used)
    return adapter
  }

  private static func readAdapter(_ folder: ForeignFolder) throws -> ForeignAdapter {
    let json = try folder.object(adapterConfig)
    let name = try locating(adapterConfig) { try json.string("name") }
    let file = try folder.weights(["adapter.safetensors", "pytorch_adapter.bin"], for: adapterConfig)
    let read = try locating(adapterConfig) {
      try AdapterHubConfiguration.normalized(
        json, hasInvertible: file.tensors.contains { $0.name.contains("invertible") })
    }
    let family = try locating(adapterConfig) { try Self.family(json) }
    let configuration = AdapterHubConfiguration.exchanged(read, for: family)
    let encoderLayers = AdapterHubStack.encoderLayers(
      of: family, naming: file.tensors.map { ModelFamilies.unprefixed($0.name) },
      leftOut: AdapterHubConfiguration.leftOutLayers(configuration))
    let names = AdapterHubNames(family, encoderLayers: encoderLayers)
    let table = AdapterHubTables(family: family, encoderLayers: encoderLayers).table(for: configuration)
    var mapped: [String: StoredTensor] = [:]
    for tensor in file.tensors {
      guard let (stable, isAlias) = names.stable(adapterTensor: tensor.name, of: name, table) else {
        throw Failure(
          .unknownForeignTensor, "the adapter \(name.debugDescription) has no place for the tensor",
          at: tensor.name
        ).within(file.path)
      }
      if !isAlias || mapped[stable] == nil { mapped[stable] = tensor.renamed(stable) }
    }
    let split = try locating(file.path) { [mapped] in
      try AdapterHubJoined.split(mapped, configuration, of: family)
    }
    let type = try locating(adapterConfig) { try json.optionalString("type") }
    let inverts = configuration["inv_adapter"]?.string != nil
    var adapter = try described(
      json, adapterConfig, name: name, content: .adapter, method: AdapterHubConfiguration.methodName(configuration),
      isLanguage: type.map { $0 == "text_lang" } ?? (inverts && !folder.files.contains(headConfig)), configuration,
      Array(split.values))
    adapter.encoderLayers = encoderLayers
    return adapter
  }

  private static func readFusion(_ folder: ForeignFolder) throws -> ForeignAdapter {
    let json = try folder.object(fusionConfig)
    let (name, members, configuration) = try locating(fusionConfig) {
      let name = try json.string("name")
      let members = try json.optionalStrings("adapter_names") ?? name.split(separator: ",").map(String.init)
      return (name, members, try AdapterHubConfiguration.fusion(json))
    }
    let file = try folder.weights(
      ["model_adapter_fusion.safetensors", "pytorch_model_adapter_fusion.bin"], for: fusionConfig)
    let family = try locating(fusionConfig) { try Self.family(json) }
    let encoderLayers = AdapterHubStack.encoderLayers(
      of: family, naming: file.tensors.map { ModelFamilies.unprefixed($0.name) }, leftOut: [])
    let names = AdapterHubNames(family, encoderLayers: encoderLayers)
    let tensors = try file.tensors.map { tensor in
      guard let stable = names.stable(fusionTensor: tensor.name, of: name) else {
        throw Failure(
          .unknownForeignTensor, "the fusion \(name.debugDescription) has no place for the tensor", at: tensor.name
        ).within(file.path)
      }
      return tensor.renamed(stable)
    }
    var fusion = try described(
      json, fusionConfig, name: name, content: .fusion(members: members), method: "fusion", isLanguage: false,
      configuration, tensors)
    fusion.encoderLayers = encoderLayers
    return fusion
  }

  private static func readHeadAlone(_ folder: ForeignFolder) throws -> ForeignAdapter {
    var notes: [String] = []
    let json = try folder.object(headConfig)
    let (head, _) = try readHead(folder, &notes)
    var adapter = try described(
      json, headConfig, name: head.name, content: .head, method: "head", isLanguage: false, JSON.Members(), [])
    adapter.head = head
    adapter.notes = notes
    return adapter
  }

  /// A head's file also holds the weights of every head whose name begins with this one's: a slip of the library's
  /// filter. They are left out, and that is said.
  private static func readHead(_ folder: ForeignFolder, _ notes: inout [String]) throws -> (ForeignAdapter.Head, JSON) {
    let json = try folder.object(headConfig)
    let file = try folder.weights(["model_head.safetensors", "pytorch_model_head.bin"], for: headConfig)
    if json.members["config"]?.object == nil, let modelClass = try json.optionalString("model_class") {
      return (try locating(headConfig) { try AdapterHubStaticHead.read(json, modelClass, file) }, .object(rest(json)))
    }
    let (name, configuration) = try locating(headConfig) {
      (try json.string("name"), try AdapterHubConfiguration.head(json))
    }
    let table = AdapterHubTables.table(forHead: configuration)
    var tensors: [StoredTensor] = [], strangers = 0
    for tensor in file.tensors {
      if let stable = AdapterHubNames.stable(headTensor: tensor.name, of: name, table) {
        tensors.append(tensor.renamed(stable))
      } else if tensor.name.hasPrefix("heads."), !tensor.name.hasPrefix("heads.\(name).") {
        strangers += 1
      } else {
        throw Failure(
          .unknownForeignTensor, "the head \(name.debugDescription) has no place for the tensor", at: tensor.name
        ).within(file.path)
      }
    }
    if strangers > 0 {
      notes.append("\(strangers) tensors of other heads in the file of the head \(name.debugDescription) were left out")
    }
    return (ForeignAdapter.Head(name: name, configuration: configuration, weights: tensors), .object(rest(json)))
  }
}

extension AdapterHub {
  private static func described(
    _ json: JSONObject, _ file: String, name: String, content: ForeignAdapter.Content, method: String, isLanguage: Bool,
    _ configuration: JSON.Members, _ tensors: [StoredTensor]
  ) throws -> ForeignAdapter {
    try locating(file) {
      let modelName = try json.optionalString("model_name")
      return ForeignAdapter(
        format: Self.name, name: name, content: content, method: method, isLanguage: isLanguage,
        configuration: configuration,
        weights: tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }, head: nil,
        architecture: try json.string("model_type"),
        modelName: modelName.flatMap { $0.isEmpty ? nil : $0 }, hiddenSize: try json.integer("hidden_size"),
        source: rest(json), notes: [])
    }
  }

  private static func family(_ json: JSONObject) throws -> ModelFamily {
    let type = try json.string("model_type")
    guard let family = ModelFamilies.family(of: type) else {
      throw Failure(
        .unsupportedForeignContent, "adapters of a \(type.debugDescription) are not supported", at: "model_type")
    }
    return family
  }

  /// What a JSON file says besides the configuration.
  private static func rest(_ json: JSONObject) -> JSON.Members {
    var members = json.members
    members["config"] = nil
    return members
  }
}
