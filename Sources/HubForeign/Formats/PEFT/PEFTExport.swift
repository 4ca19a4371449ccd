public import HubBundle
import HubModels
import HubWords
import HubWeights

extension PEFT {
  public static func files(of adapter: AdapterContent) throws -> ForeignFiles {
    let manifest = adapter.manifest, family = try adapter.family()
    var export = try PEFTExport(adapter, family), files = ForeignFiles()
    let head = adapter.head.flatMap { family.head(like: $0.configuration) }
    if adapter.head != nil, head == nil {
      files.notes.append("the head was not carried over: no model class of Hugging Face has one like it")
    }
    let modelClass = family.className + (head?.task ?? "Model")
    if let head, let own = adapter.head {
      try export.addPooler(own)
      for tensor in own.weights where !tensor.name.hasPrefix("pooler.") {
        guard let stored = head.stored(tensor.name) else {
          throw Failure(.inexpressibleAdapter, "a \(modelClass) has no name for the head's tensor", at: tensor.name)
        }
        export.add(tensor.renamed(stored), isPrefixed: false)
      }
      let saved = Set(
        own.weights.compactMap { head.stored($0.name)?.split(separator: ".").first.map(String.init) })
      export.configuration["modules_to_save"] = .array(saved.sorted().map(JSON.string))
    }
    let package = manifest.base.architecture.replacing("-", with: "_")
    let mapping: JSON = [
      "base_model_class": .string(modelClass),
      "parent_library": .string("transformers.models.\(package).modeling_\(package)"),
    ]
    // PEFT runs prefixes and prompts only where a task says what the model is.
    let types = [
      "ForSequenceClassification": "SEQ_CLS", "ForTokenClassification": "TOKEN_CLS",
      "ForQuestionAnswering": "QUESTION_ANS",
    ]
    let type = head.flatMap { types[$0.task] } ?? "FEATURE_EXTRACTION"
    let task: JSON.Members =
      export.hasVirtualTokens ? ["task_type": .string(type)] : ["task_type": .null, "auto_mapping": mapping]
    files.json.append(
      (
        configFile,
        export.configuration.with(task).with([
          "base_model_name_or_path": manifest.base.name.map(JSON.string) ?? .null, "inference_mode": true,
          "revision": .null,
        ])
      ))
    files.weights.append(
      (weightFiles[0], export.tensors(prefix: head == nil ? "" : family.prefix + "."), ["format": "pt"]))
    return files
  }
}

/// An adapter's tensors under PEFT's names, and the configuration that belongs to them.
private struct PEFTExport {
  var configuration: JSON.Members
  private var own: [(tensor: StoredTensor, isPrefixed: Bool)] = []
  private let family: ModelFamily
  private let encoderLayers: Int?
  /// The tensors, those of layers that are stored as one together.
  private let joined: PEFTJoined
  private let c: JSONObject

  init(_ adapter: AdapterContent, _ family: ModelFamily) throws {
    self.family = family
    encoderLayers = try adapter.encoderLayers(of: family)
    let c = adapter.configuration
    self.c = c
    joined = try PEFTJoined(
      adapter.weights, of: family, isScaledByRoot: c.optionalBool("use_rslora") ?? false
    ) { key, target in c.members["targets"]?[target]?[key]?.number ?? c.members[key]?.number }
    configuration = [:]
    guard adapter.manifest.kind != .fusion else {
      throw Failure(.inexpressibleAdapter, "PEFT has no fusions", at: "kind")
    }
    let architecture = try c.optionalString("architecture")
    switch (architecture, try c.optionalString("composition_mode")) {
    case ("lora", "scale"): try addScalings(adapter)
    case ("lora", _): try addLoRA(adapter)
    case ("prefix_tuning", _): try addPrefix(adapter)
    case ("prompt_tuning", _): try addPrompt(adapter)
    default:
      throw Failure(
        .inexpressibleAdapter, "PEFT has no method \((architecture ?? "bottleneck").debugDescription)",
        at: "architecture")
    }
  }

  var hasVirtualTokens: Bool { configuration["num_virtual_tokens"] != nil }

  mutating func add(_ tensor: StoredTensor, isPrefixed: Bool = true) { own.append((tensor, isPrefixed)) }

  /// - Parameter prefix: what a class with a head puts before the model's modules
  func tensors(prefix: String) -> [StoredTensor] {
    own.map { item in
      if item.tensor.name == "prompt_embeddings" { return item.tensor }
      return item.tensor.renamed("base_model.model.\(item.isPrefixed ? prefix : "")\(item.tensor.name)")
    }
  }

  /// One linear layer's tensor: the path of the module, and what the tensor is.
  private func split(_ tensor: StoredTensor) throws -> (module: String, target: String, parameter: String) {
    let parts = tensor.name.split(separator: ".").map(String.init)
    guard parts.count == 4, parts[0] == "layers", let layer = Int(parts[1]), let path = path(layer, parts[2]) else {
      throw Failure(.inexpressibleAdapter, "PEFT has no name for the tensor", at: tensor.name)
    }
    return (path, "\(parts[1]).\(parts[2])", parts[3])
  }

  private func path(_ layer: Int, _ place: String) -> String? {
    if place == PEFTJoined.place { return family.layers.joined.map { "\(family.layers.list).\(layer).\($0.path)" } }
    return Site.Place(rawValue: place).flatMap { family.path(at: Site(layer, $0), encoderLayers: encoderLayers) }
  }

  private func number(_ key: String, of target: String) -> Double? {
    if key == "alpha", let alpha = joined.alphas[target] { return alpha }
    return c.members["targets"]?[target]?[key]?.number ?? c.members[key]?.number
  }

  private mutating func addLoRA(_ adapter: AdapterContent) throws {
    for key in ["use_gating", "vera_d"] {
      guard let value = c.members[key], !value.isNull, value != false else { continue }
      throw Failure(.inexpressibleAdapter, "PEFT's format cannot express this", at: key)
    }
    let hasMagnitudes = try c.optionalBool("use_dora") ?? false
    guard try !hasMagnitudes || c.optionalString("dora_form") == "peft" else {
      throw Failure(
        .inexpressibleAdapter, "PEFT's DoRA leaves the bias alone and scales its update, AdapterHub's does neither",
        at: "use_dora")
    }
    let names = [
      "lora_a": "lora_A.weight", "lora_b": "lora_B.weight", "lora_b_bias": "lora_B.bias",
      "magnitude": "lora_magnitude_vector",
    ]
    var ranks: [String: Int] = [:], alphas: [String: Double] = [:]
    for tensor in joined.weights {
      let (module, target, parameter) = try split(tensor)
      if parameter == "matrix" {
        // M = M I: a factor of full rank, with the scale 1.
        let width = tensor.shape[1], identity = (0..<width * width).map { Float($0 % (width + 1) == 0 ? 1 : 0) }
        add(try StoredTensor(name: "\(module).lora_A.weight", shape: [width, width], floats: identity))
        add(tensor.renamed("\(module).lora_B.weight"))
        (ranks[module], alphas[module]) = (width, Double(width))
        continue
      }
      guard let name = names[parameter] else {
        throw Failure(.inexpressibleAdapter, "PEFT has no name for the tensor", at: tensor.name)
      }
      let stored = parameter == "magnitude" ? tensor.reshaped([tensor.count]) ?? tensor : tensor
      add(stored.renamed("\(module).\(name)"))
      guard parameter == "lora_a", let rank = tensor.shape.first else { continue }
      ranks[module] = rank
      alphas[module] = number("alpha", of: target) ?? 8
    }
    let rank = ranks.values.max() ?? 8, alpha = alphas.values.max() ?? 8
    configuration = [
      "peft_type": "LORA", "r": .integer(rank), "lora_alpha": .number(alpha), "lora_dropout": 0.0, "bias": "none",
      "fan_in_fan_out": false,
      "init_lora_weights": true, "use_rslora": c.members["use_rslora"] ?? false, "use_dora": .bool(hasMagnitudes),
      "lora_bias": c.members["lora_bias"] ?? false,
      "rank_pattern": pattern(ranks.filter { $0.value != rank }.mapValues(JSON.integer)),
      "alpha_pattern": pattern(alphas.filter { $0.value != alpha }.mapValues(JSON.number)),
      "target_modules": list(ranks.keys),
    ]
  }

  /// What acts on the pooler, which is part of the head in the bundle format.
  mutating func addPooler(_ head: StoredModule) throws {
    guard let rank = head.configuration["pooler_rank"]?.integer, rank > 0 else { return }
    guard self.configuration["peft_type"] == "LORA" else {
      throw Failure(.inexpressibleAdapter, "PEFT has no adapter that acts on the pooler only", at: "pooler_rank")
    }
    let names = ["pooler.lora_a": "pooler.dense.lora_A.weight", "pooler.lora_b": "pooler.dense.lora_B.weight"]
    for tensor in head.weights {
      if let name = names[tensor.name] { add(tensor.renamed(name)) }
    }
    let scale = head.configuration["pooler_scale"]?.number ?? 1, module = "pooler.dense"
    let isRooted = self.configuration["use_rslora"] == true
    let alpha = scale * (isRooted ? Double(rank).squareRoot() : Double(rank))
    let targets = (self.configuration["target_modules"]?.strings ?? []) + [module]
    self.configuration["target_modules"] = .array(targets.sorted().map(JSON.string))
    let others: [(String, JSON)] = [("rank_pattern", .integer(rank)), ("alpha_pattern", .number(alpha))]
    for (key, value) in others {
      self.configuration[key] = .object((self.configuration[key]?.object ?? [:]).with([module: value]))
    }
  }

  private mutating func addScalings(_ adapter: AdapterContent) throws {
    guard try c.optionalBool("use_gating") != true, try c.optionalNumber("alpha") ?? 1 == 1 else {
      throw Failure(.inexpressibleAdapter, "PEFT's (IA)³ has neither gates nor a factor", at: "alpha")
    }
    var targets: Set<String> = [], inputs: Set<String> = []
    for tensor in joined.weights {
      let (module, target, parameter) = try split(tensor)
      guard parameter == "lora_b" else {
        throw Failure(.inexpressibleAdapter, "PEFT has no name for the tensor", at: tensor.name)
      }
      let scalesInput = c.members["targets"]?[target]?["scales_input"] == true
      targets.insert(module)
      if scalesInput { inputs.insert(module) }
      add((tensor.reshaped(scalesInput ? [1, tensor.count] : [tensor.count, 1]) ?? tensor).renamed("\(module).ia3_l"))
    }
    configuration = [
      "peft_type": "IA3", "target_modules": list(targets), "feedforward_modules": list(inputs), "fan_in_fan_out": false,
      "init_ia3_weights": true,
    ]
  }

  private mutating func addPrefix(_ adapter: AdapterContent) throws {
    guard try c.optionalBool("shift_positions") == true,
      let values = adapter.weights.first(where: { $0.name == "prefix.values" })
    else {
      throw Failure(
        .inexpressibleAdapter, "PEFT's prefixes are flat and move the positions of the text; these do not",
        at: "architecture")
    }
    guard let heads = adapter.manifest.source?["num_attention_heads"]?.integer else {
      throw Failure(
        .inexpressibleAdapter, "PEFT needs the number of attention heads, but the adapter does not say it",
        at: "source.num_attention_heads")
    }
    let length = try c.integer("prefix_length"), hiddenSize = adapter.manifest.base.hiddenSize,
      width = values.count / max(1, length)
    add((values.reshaped([length, width]) ?? values).renamed("prompt_embeddings"))
    configuration = virtualTokens("PREFIX_TUNING", length, adapter).with([
      "encoder_hidden_size": .integer(hiddenSize), "num_attention_heads": .integer(heads),
      "num_layers": .integer(width / max(1, 2 * hiddenSize)),
      "prefix_projection": false,
    ])
  }

  private mutating func addPrompt(_ adapter: AdapterContent) throws {
    guard try c.optionalString("combine") == "words",
      let embedding = adapter.weights.first(where: { $0.name == "prompt.embedding" })
    else {
      throw Failure(.inexpressibleAdapter, "PEFT's prompts have positions, but these do not", at: "combine")
    }
    add(embedding.renamed("prompt_embeddings"))
    configuration = virtualTokens("PROMPT_TUNING", embedding.shape.first ?? 0, adapter).with([
      "prompt_tuning_init": "RANDOM"
    ])
    for key in ["num_attention_heads", "num_layers"] { configuration[key] = adapter.manifest.source?[key] }
  }

  private func virtualTokens(_ type: String, _ count: Int, _ adapter: AdapterContent) -> JSON.Members {
    [
      "peft_type": .string(type), "num_virtual_tokens": .integer(count),
      "token_dim": .integer(adapter.manifest.base.hiddenSize),
      "num_transformer_submodules": 1,
    ]
  }

  /// PEFT reads the keys of a pattern as the ends of module names.
  private func pattern(_ values: [String: JSON]) -> JSON {
    .object(values.sorted { $0.key < $1.key }.reduce(into: JSON.Members()) { $0[$1.key] = $1.value })
  }

  private func list(_ names: some Sequence<String>) -> JSON { .array(names.sorted().map(JSON.string)) }
}
