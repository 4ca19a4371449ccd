import HubWords
import HubWeights

extension PEFTMethod {
  /// LoHa (Hyeon-Woo et al. 2022): `ΔW = alpha / r · (w1_a w1_b) ⊙ (w2_a w2_b)`. A product of two matrices of the ranks
  /// r and s, element by element, is one of the rank r·s, whose factors have a column for each pair of theirs: a LoRA.
  static let loHa: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(config)
    try refuseOptions(config, except: ["alpha", "use_effective_conv2d"])
    try targets.check(files.modules, saved: files.others)
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try module.checkOnly(["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"])
      let (a1, b1) = (try module.matrix("hada_w1_a"), try module.matrix("hada_w1_b"))
      let (a2, b2) = (try module.matrix("hada_w2_a"), try module.matrix("hada_w2_b"))
      let rows = a1.rows, columns = b1.columns, (r, s) = (a1.columns, a2.columns)
      guard b1.rows == r, b2.rows == s, a2.rows == rows, b2.columns == columns, r * s <= 65_536 else {
        throw Failure(.unknownForeignTensor, "the factors do not fit each other", at: module.name)
      }
      try targets.check(rank: r, of: module)
      let scale = try targets.alpha(of: module, key: "alpha") / Double(r)
      var up = [Float](repeating: 0, count: rows * r * s), down = [Float](repeating: 0, count: r * s * columns)
      for i in 0..<r {
        for j in 0..<s {
          let pair = i * s + j
          for row in 0..<rows { up[row * r * s + pair] = a1.values[row * r + i] * a2.values[row * s + j] }
          for column in 0..<columns {
            down[pair * columns + column] = b1.values[i * columns + column] * b2.values[j * columns + column]
          }
        }
      }
      try layers.add(
        module, a: StoredTensor(name: "a", shape: [r * s, columns], floats: down),
        b: StoredTensor(name: "b", shape: [rows, r * s], floats: up), alpha: scale * Double(r * s), scale: scale)
    }
    return layers.method(
      "lora", ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"],
      isWhole: targets.isWhole && files.encoderLayers == nil)
  }
}
