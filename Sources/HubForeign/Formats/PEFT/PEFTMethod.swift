import HubBundle
import HubWords
import HubWeights

/// An adapter of one of PEFT's types in the words of the bundle format.
struct PEFTMethod {
  var name: String
  var configuration: JSON.Members
  var weights: [StoredTensor]
  var hiddenSize: Int
  /// What acts on the pooler, which is part of a head: its tensors, and keys of its configuration.
  var pooler: (weights: [StoredTensor], configuration: JSON.Members)?

  /// A function for each `peft_type`. One file each.
  static let all: [String: @Sendable (PEFTFiles) throws -> PEFTMethod] = [
    "LORA": lora, "ADALORA": adaLoRA, "VERA": vera, "LOHA": loHa, "LOKR": loKr, "OFT": oft, "BOFT": boft, "IA3": ia3,
    "PREFIX_TUNING": prefixTuning, "PROMPT_TUNING": promptTuning, "P_TUNING": promptTuning,
  ]

  /// Keys of `adapter_config.json` that say nothing of what an adapter computes, for all types.
  private static let harmless: Set<String> = [
    "peft_type", "peft_version", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "task_type",
    "modules_to_save", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern",
    "alpha_pattern", "r", "bias", "megatron_config", "megatron_core", "runtime_config", "ensure_weight_tying",
    "init_weights",
    "rank_dropout", "module_dropout", "save_embedding_layers", "_custom_modules", "fan_in_fan_out", "target_parameters",
    "layer_replication", "trainable_token_indices",
  ]

  /// Refuses options that would change the result and are not honoured.
  ///
  /// - Parameter own: keys that the type honours, or that concern training only
  static func refuseOptions(_ config: JSONObject, except own: Set<String>) throws {
    for option in ["layer_replication", "target_parameters", "trainable_token_indices"] {
      if isSet(config.members[option]) { throw unsupported(option) }
    }
    for entry in config.members.entries where !harmless.contains(entry.key) && !own.contains(entry.key) {
      if isSet(entry.value) { throw unsupported(entry.key) }
    }
    guard try config.optionalString("bias") ?? "none" == "none" else {
      throw Failure(
        .unsupportedForeignContent, "adapters that train biases of the base model are not supported", at: "bias")
    }
  }

  private static func isSet(_ value: JSON?) -> Bool {
    switch value {
    case nil, .null, .bool(false): false
    case .array(let values): !values.isEmpty
    case .object(let members): !members.entries.isEmpty
    default: true
    }
  }

  private static func unsupported(_ option: String) -> Failure {
    Failure(
      .unsupportedForeignContent, "the option is not supported, and ignoring it would change the result", at: option)
  }

  /// The width of the model, from the shape of a linear layer.
  static func hiddenSize(_ place: String, input: Int, output: Int) -> Int {
    ["output", "attention_output", "cross_attention_output"].contains(place) ? output : input
  }

  static func unplaced(_ module: PEFTModule) -> Failure {
    Failure(.unsupportedForeignContent, "the adapter changes a module that Dovetail has no site for", at: module.name)
  }
}

/// The adapted linear layers of an adapter, one after another.
struct PEFTLinearLayers {
  private(set) var targets: [String: JSON.Members] = [:]
  private(set) var weights: [StoredTensor] = []
  private(set) var hiddenSize = 0
  private(set) var pooler: (weights: [StoredTensor], configuration: JSON.Members)?

  /// Adds what acts on one layer.
  ///
  /// - Parameters:
  ///   - shape: of the layer's weight, `[out, in]`
  ///   - tensors: by their names in the bundle format
  mutating func add(
    _ module: PEFTModule, shape: (output: Int, input: Int), _ options: JSON.Members, _ tensors: [StoredTensor]
  ) throws {
    guard let (_, place) = module.place else { throw PEFTMethod.unplaced(module) }
    let width = PEFTMethod.hiddenSize(place, input: shape.input, output: shape.output)
    guard hiddenSize == 0 || hiddenSize == width, (1...InputLimits.hiddenSize).contains(width) else {
      throw Failure(
        .unsupportedForeignContent,
        "the tensor is for a model of \(width) columns, but others are for one of \(hiddenSize)",
        at: module.name)
    }
    hiddenSize = width
    targets[module.target] = options
    weights += tensors.map { $0.renamed("\(module.stable).\($0.name)") }
  }

  /// Adds vectors of a layer of which only one width is known.
  mutating func add(_ module: PEFTModule, width: Int?, _ options: JSON.Members, _ tensors: [StoredTensor]) {
    if let width { hiddenSize = width }
    targets[module.target] = options
    weights += tensors.map { $0.renamed("\(module.stable).\($0.name)") }
  }

  /// Adds a further tensor of a layer.
  mutating func append(_ tensor: StoredTensor, of module: PEFTModule) {
    weights.append(tensor.renamed("\(module.stable).\(tensor.name)"))
  }

  /// Adds a low-rank update `scale · B A`, of a layer or of the pooler, which heads read through.
  mutating func add(_ module: PEFTModule, a: StoredTensor, b: StoredTensor, alpha: Double, scale: Double) throws {
    guard a.shape.count == 2, b.shape.count == 2, a.shape[0] == b.shape[1], a.shape[0] > 0 else {
      throw Failure(
        .unknownForeignTensor, "the factors have the shapes \(a.shape) and \(b.shape)", at: module.name)
    }
    if module.isPooler {
      guard a.shape[1] == b.shape[0], hiddenSize == 0 || hiddenSize == a.shape[1] else {
        throw PEFTMethod.unplaced(module)
      }
      hiddenSize = a.shape[1]
      pooler = (
        [a.renamed("pooler.lora_a"), b.renamed("pooler.lora_b")],
        ["pooler_rank": .integer(a.shape[0]), "pooler_scale": .number(scale)]
      )
      return
    }
    try add(
      module, shape: (b.shape[0], a.shape[1]), ["r": .integer(a.shape[0]), "alpha": .number(alpha)],
      [a.renamed("lora_a"), b.renamed("lora_b")])
  }

  /// The method, with the layers named one by one, or by the Python library's switches where they can say the same.
  func method(_ name: String, _ configuration: JSON.Members, isWhole: Bool) -> PEFTMethod {
    PEFTMethod(
      name: name, configuration: configuration.with((isWhole ? simplified : nil) ?? named), weights: weights,
      hiddenSize: hiddenSize, pooler: pooler)
  }

  private var named: JSON.Members {
    [
      "targets": .object(
        targets.sorted { $0.key < $1.key }.reduce(into: JSON.Members()) { $0[$1.key] = .object($1.value) })
    ]
  }

  /// The same linear layers in every layer, with one rank.
  private var simplified: JSON.Members? {
    let known: Set<Substring> = ["query", "key", "value", "intermediate", "output"]
    guard let common = targets.first?.value, targets.keys.allSatisfy({ known.contains($0.split(separator: ".")[1]) }),
      targets.values.allSatisfy({ $0 == common }),
      common.entries.allSatisfy({ ["r", "alpha"].contains($0.key) })
    else { return nil }
    let names = targets.keys.map { $0.split(separator: ".") }, layers = Set(names.map { $0[0] }),
      places = Set(names.map { String($0[1]) })
    let attention = [("query", "q"), ("key", "k"), ("value", "v")].filter { places.contains($0.0) }.map {
      JSON.string($0.1)
    }
    guard targets.count == layers.count * places.count,
      (0..<layers.count).allSatisfy({ layers.contains("\($0)") })
    else { return nil }
    return common.with([
      "selfattn_lora": .bool(!attention.isEmpty), "attn_matrices": .array(attention),
      "intermediate_lora": .bool(places.contains("intermediate")),
      "output_lora": .bool(places.contains("output")),
    ])
  }
}
