import HubWords
import HubWeights

extension PEFTMethod {
  /// (IA)³: vectors that multiply what a layer gives, or of shape `[1, in]` what a feed-forward layer reads.
  static let ia3: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(config)
    try refuseOptions(config, except: ["feedforward_modules", "init_ia3_weights"])
    try targets.check(files.modules, saved: files.others)
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try module.checkOnly(["ia3_l"])
      guard let (_, place) = module.place else { throw unplaced(module) }
      let vector = try module.tensor("ia3_l"), scalesInput = vector.shape.first == 1 && vector.count > 1
      try checkFeedForward(module, config, scalesInput)
      let column = (vector.reshaped([vector.count, 1]) ?? vector).renamed("lora_b")
      // Of the two widths of a feed-forward layer the vector shows one.
      let isInner = place == "intermediate" ? !scalesInput : place == "output" ? scalesInput : false
      layers.add(module, width: isInner ? nil : vector.count, scalesInput ? ["scales_input": true] : [:], [column])
    }
    let configuration: JSON.Members = [
      "architecture": "lora", "composition_mode": "scale", "init_weights": "ia3", "r": 1, "alpha": 1,
    ]
    return layers.method("ia3", configuration, isWhole: targets.isWhole && files.encoderLayers == nil)
  }

  /// The shape of the vector is what `feedforward_modules` says.
  private static func checkFeedForward(_ module: PEFTModule, _ config: JSONObject, _ scalesInput: Bool) throws {
    let value = config.members["feedforward_modules"] ?? .null, isFeedForward: Bool
    if let text = value.string {
      isFeedForward = try ModulePattern(text).matches(module.name)
    } else {
      isFeedForward = (value.strings ?? []).contains { module.name == $0 || module.name.hasSuffix(".\($0)") }
    }
    guard isFeedForward == scalesInput else {
      throw Failure(
        .unsupportedForeignContent, "the vector's shape contradicts what feedforward_modules says of the layer",
        at: module.name)
    }
  }
}
