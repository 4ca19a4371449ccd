import HubBundle
import HubWords
import HubWeights

extension PEFTMethod {
  /// LoKr (Yeh et al. 2024): `ΔW = alpha / r · w1 ⊗ w2`, each a matrix or a product of two. Kept as the matrix `ΔW`.
  static let loKr: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(config)
    try refuseOptions(
      config, except: ["alpha", "use_effective_conv2d", "decompose_both", "decompose_factor", "rank_dropout_scale"])
    try targets.check(files.modules, saved: files.others)
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try module.checkOnly(["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"])
      let first = try factor("lokr_w1", of: module, targets), second = try factor("lokr_w2", of: module, targets)
      let rows = first.rows * second.rows, columns = first.columns * second.columns
      guard rows <= InputLimits.hiddenSize * 4, columns <= InputLimits.hiddenSize * 4 else { throw unplaced(module) }
      let scale = Float(try targets.alpha(of: module, key: "alpha") / Double(try targets.rank(of: module)))
      var matrix = [Float](repeating: 0, count: rows * columns)
      for i in 0..<first.rows {
        for j in 0..<first.columns {
          let value = first.values[i * first.columns + j] * scale
          for k in 0..<second.rows {
            let start = (i * second.rows + k) * columns + j * second.columns
            for l in 0..<second.columns { matrix[start + l] = value * second.values[k * second.columns + l] }
          }
        }
      }
      try layers.add(
        module, shape: (rows, columns), ["form": "matrix"],
        [StoredTensor(name: "matrix", shape: [rows, columns], floats: matrix)])
    }
    return layers.method(
      "lora", ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"],
      isWhole: targets.isWhole && files.encoderLayers == nil)
  }

  private typealias Matrix = (rows: Int, columns: Int, values: [Float])

  private static func factor(_ name: String, of module: PEFTModule, _ targets: PEFTTargets) throws -> Matrix {
    guard module.tensors[name] == nil else { return try module.matrix(name) }
    let a = try module.matrix("\(name)_a"), b = try module.matrix("\(name)_b")
    guard a.columns == b.rows else {
      throw Failure(.unknownForeignTensor, "the factors do not fit each other", at: module.name)
    }
    try targets.check(rank: a.columns, of: module)
    var product = [Float](repeating: 0, count: a.rows * b.columns)
    for i in 0..<a.rows {
      for k in 0..<a.columns {
        let value = a.values[i * a.columns + k]
        for j in 0..<b.columns { product[i * b.columns + j] += value * b.values[k * b.columns + j] }
      }
    }
    return (a.rows, b.columns, product)
  }
}
