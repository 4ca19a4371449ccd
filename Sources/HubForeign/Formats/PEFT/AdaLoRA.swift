import HubWords
import HubWeights

extension PEFTMethod {
  /// AdaLoRA (Zhang et al. 2023): `W x + b + alpha / (ranks + 1e-5) · B (E ⊙ A) x`, which is a LoRA with `E ⊙ A` as its
  /// first factor. `ranks` is how many singular values training left, as the file or `rank_pattern` says.
  static let adaLoRA: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config
    try refuseOptions(
      config,
      except: [
        "lora_alpha", "lora_dropout", "init_lora_weights", "target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1",
        "beta2",
        "orth_reg_weight", "total_step", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
        "qalora_group_size",
        "use_rslora",
      ])
    // Here patterns are lists of the singular values that are left.
    let targets = try PEFTTargets(JSONObject(config.members.with(["rank_pattern": .null])))
    try targets.check(files.modules, saved: files.others)
    guard try config.optionalBool("use_rslora") != true else {
      throw Failure(.unsupportedForeignContent, "AdaLoRA with use_rslora is not supported", at: "use_rslora")
    }
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try module.checkOnly(["lora_A", "lora_B", "lora_E", "ranknum"])
      let (rank, columns, first) = try module.matrix("lora_A"), (rows, inner, second) = try module.matrix("lora_B")
      let values = try module.matrix("lora_E")
      guard inner == rank, values.rows == rank, values.columns == 1 else {
        throw Failure(.unknownForeignTensor, "the factors do not fit each other", at: module.name)
      }
      let left = try module.tensors["ranknum"].flatMap { try $0.floats().first } ?? Float(rank)
      let scaled = first.indices.map { first[$0] * values.values[$0 / columns] }
      let alpha = try config.optionalNumber("lora_alpha") ?? 8, scale = alpha / (Double(left) + 1e-5)
      try layers.add(
        module, a: StoredTensor(name: "a", shape: [rank, columns], floats: scaled),
        b: StoredTensor(name: "b", shape: [rows, rank], floats: second), alpha: scale * Double(rank), scale: scale)
    }
    return layers.method(
      "lora", ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"],
      isWhole: targets.isWhole && files.encoderLayers == nil)
  }
}
