import HubWords
import HubWeights

extension PEFTMethod {
  /// VeRA (Kopiczko et al. 2024): `W x + b + (λ_b ⊙ B) (λ_d ⊙ A) x` with one `A` and one `B` for all layers, of which
  /// each takes the part that it needs. Written out as a LoRA.
  static let vera: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(config)
    try refuseOptions(config, except: ["projection_prng_key", "save_projection", "vera_dropout", "d_initial"])
    try targets.check(files.modules, saved: files.others)
    guard let a = files.shared["vera_A"], let b = files.shared["vera_B"], a.shape.count == 2, b.shape.count == 2 else {
      throw Failure(
        .missingForeignTensor, "the file lacks vera_A and vera_B, the shared random matrices",
        at: "save_projection",
        hint: "save the adapter with save_projection=True")
    }
    let rank = a.shape[0], first = try a.floats(), second = try b.floats()
    guard try rank == config.optionalInteger("r") ?? 256, b.shape[1] == rank else {
      throw Failure(
        .unsupportedForeignContent, "the shared matrices have the rank \(rank), but the configuration says another",
        at: "r")
    }
    var layers = PEFTLinearLayers()
    // The shared first factor is as wide as the widest input. A layer's own is the model's, but for the last of a
    // layer.
    let hidden =
      try files.modules.first { $0.place?.place != "intermediate" }?.tensor("vera_lambda_b").count ?? a.shape[1]
    for module in files.modules {
      try module.checkOnly(["vera_lambda_b", "vera_lambda_d"])
      let outer = try module.tensor("vera_lambda_b").floats(), inner = try module.tensor("vera_lambda_d").floats()
      guard inner.count == rank, outer.count <= b.shape[0],
        case let columns = module.place?.place == "output" ? a.shape[1] : hidden, columns <= a.shape[1]
      else {
        throw Failure(.unknownForeignTensor, "the vectors do not fit the shared matrices", at: module.name)
      }
      let scaledA = (0..<rank).flatMap { row in
        first[row * a.shape[1]..<row * a.shape[1] + columns].map { $0 * inner[row] }
      }
      let scaledB = outer.indices.flatMap { row in second[row * rank..<(row + 1) * rank].map { $0 * outer[row] } }
      try layers.add(
        module, a: StoredTensor(name: "a", shape: [rank, columns], floats: scaledA),
        b: StoredTensor(name: "b", shape: [outer.count, rank], floats: scaledB), alpha: Double(rank), scale: 1)
    }
    return layers.method(
      "lora", ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"],
      isWhole: targets.isWhole && files.encoderLayers == nil)
  }
}
