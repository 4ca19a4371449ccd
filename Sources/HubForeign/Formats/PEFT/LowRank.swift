import HubWords
import HubWeights

extension PEFTMethod {
  /// LoRA: `W x + b + s·B A x`, `s = alpha / r` or with `use_rslora` `alpha / √r`; DoRA as the paper has it.
  static let lora: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(config)
    try refuseOptions(
      config,
      except: [
        "lora_alpha", "lora_dropout", "use_rslora", "use_dora", "lora_bias", "init_lora_weights", "loftq_config",
        "eva_config",
        "corda_config", "lora_ga_config", "qalora_group_size", "ephemeral_gpu_offload",
      ])
    try refuseChangedBase(config)
    try targets.check(files.modules, saved: files.others)
    let hasMagnitudes = try config.optionalBool("use_dora") ?? false,
      isScaled = try config.optionalBool("use_rslora") ?? false
    let hasBias = try config.optionalBool("lora_bias") ?? false
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try add(module, targets, hasMagnitudes: hasMagnitudes, isScaled: isScaled, hasBias: hasBias, to: &layers)
    }
    var configuration: JSON.Members = ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"]
    if isScaled { configuration["use_rslora"] = true }
    if hasBias { configuration["lora_bias"] = true }
    if hasMagnitudes { configuration = configuration.with(["use_dora": true, "dora_form": "peft"]) }
    return layers.method(
      hasMagnitudes ? "dora" : "lora", configuration, isWhole: targets.isWhole && files.encoderLayers == nil)
  }

  private static func add(
    _ module: PEFTModule, _ targets: PEFTTargets, hasMagnitudes: Bool, isScaled: Bool, hasBias: Bool,
    to layers: inout PEFTLinearLayers
  ) throws {
    let magnitudes = ["lora_magnitude_vector", "lora_magnitude_vector.weight"]
    try module.checkOnly(
      Set(["lora_A.weight", "lora_B.weight"] + (hasBias ? ["lora_B.bias"] : []) + (hasMagnitudes ? magnitudes : [])))
    let a = try module.tensor("lora_A.weight"), b = try module.tensor("lora_B.weight")
    guard let rank = a.shape.first, a.shape.count == 2 else {
      throw Failure(
        .unknownForeignTensor,
        "the factor has the shape \(a.shape): some trainers save shards like this instead of the whole",
        at: module.name)
    }
    try targets.check(rank: rank, of: module)
    let alpha = try targets.alpha(of: module)
    guard !module.isPooler || !(hasMagnitudes || hasBias) else { throw unplaced(module) }
    try layers.add(
      module, a: a, b: b, alpha: alpha, scale: alpha / (isScaled ? Double(rank).squareRoot() : Double(rank)))
    guard !module.isPooler else { return }
    if hasBias { layers.append(try module.tensor("lora_B.bias").renamed("lora_b_bias"), of: module) }
    if hasMagnitudes {
      guard let magnitude = magnitudes.lazy.compactMap({ module.tensors[$0] }).first else {
        throw Failure(.missingForeignTensor, "the file has no magnitudes for the module", at: module.name)
      }
      let column = magnitude.reshaped([magnitude.count, 1]) ?? magnitude
      layers.append(column.renamed("magnitude"), of: module)
    }
  }

  /// Some ways to begin take the first factors out of the base's weights, and do it again when the adapter is loaded:
  /// what is saved is right only on weights that are changed so.
  private static func refuseChangedBase(_ config: JSONObject) throws {
    guard let name = config.members["init_lora_weights"]?.string?.lowercased() else { return }
    let changing = ["pissa", "olora", "corda", "loftq", "lora_ga", "mica"]
    if changing.contains(where: name.hasPrefix) {
      throw Failure(
        .unsupportedForeignContent,
        "the adapter needs a base model with changed weights: init_lora_weights is \(name.debugDescription)",
        at: "init_lora_weights",
        hint:
          "convert it in Python: save_pretrained(…, path_initial_model_for_weight_conversion=…), or merge it into the base"
      )
    }
    guard ["gaussian", "eva", "orthogonal", "true", "false"].contains(name) else {
      throw Failure(
        .unsupportedForeignContent, "\(name.debugDescription) is unknown, and may change the base model",
        at: "init_lora_weights")
    }
  }
}
