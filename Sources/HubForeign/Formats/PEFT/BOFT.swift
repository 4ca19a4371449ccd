import HubWords
import HubWeights

extension PEFTMethod {
  /// BOFT (Liu et al. 2024): `s ⊙ W (Rᵀ x) + b`, `R` being a product of rotations of blocks, between which the columns
  /// are shuffled like a butterfly's wings. Kept as the matrix `Rᵀ`.
  static let boft: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(config)
    try refuseOptions(
      config, except: ["boft_block_size", "boft_block_num", "boft_n_butterfly_factor", "boft_dropout"])
    try targets.check(files.modules, saved: files.others)
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try module.checkOnly(["boft_R", "boft_s"])
      let tensor = try module.tensor("boft_R"), scale = try module.tensor("boft_s")
      guard tensor.shape.count == 4, tensor.shape[2] == tensor.shape[3], (2...1024).contains(tensor.shape[2]),
        (1...16).contains(tensor.shape[0]), (1...4096).contains(tensor.shape[1])
      else { throw Failure(.unknownForeignTensor, "the rotations have the shape \(tensor.shape)", at: module.name) }
      let butterfly = Butterfly(factors: tensor.shape[0], blocks: tensor.shape[1], size: tensor.shape[2])
      guard butterfly.width <= 16_384, butterfly.isWhole else { throw unplaced(module) }
      try layers.add(module, rotation: butterfly.matrix(try tensor.floats()).transposed, scale: scale)
    }
    return layers.method("boft", rotating, isWhole: targets.isWhole && files.encoderLayers == nil)
  }
}

/// The shape of a product of block rotations.
private struct Butterfly {
  let factors: Int
  let blocks: Int
  let size: Int

  var width: Int { blocks * size }
  /// Whether the columns divide into as many wings as each factor wants.
  var isWhole: Bool { factors == 1 || (blocks % (1 << (factors - 1)) == 0 && size % 2 == 0) }

  func matrix(_ values: [Float]) -> SquareMatrix {
    var product = SquareMatrix.identity(width)
    for factor in 0..<factors {
      let rotations = (0..<blocks).map { block in
        var data = SquareMatrix(size)
        let start = (factor * blocks + block) * size * size
        for i in data.values.indices { data.values[i] = Double(values[start + i]) }
        var skew = SquareMatrix(size)
        for i in 0..<size { for j in 0..<size { skew[i, j] = (data[i, j] - data[j, i]) / 2 } }
        return skew.cayley
      }
      product = shuffled(SquareMatrix.diagonal(rotations), order(factor)) * product
    }
    return product
  }

  /// `P D Pᵀ`
  private func shuffled(_ matrix: SquareMatrix, _ order: [Int]) -> SquareMatrix {
    var result = SquareMatrix(width)
    for i in 0..<width { for j in 0..<width { result[i, j] = matrix[order[i], order[j]] } }
    return result
  }

  /// Within each wing, every other half block first.
  private func order(_ factor: Int) -> [Int] {
    guard factors > 1 else { return Array(0..<width) }
    let wing = width / (blocks >> factor), half = size / 2, steps = wing / half
    let halves = Array(stride(from: 0, to: steps, by: 2)) + Array(stride(from: 1, to: steps, by: 2))
    let sorted = halves.flatMap { ($0 * half)..<($0 + 1) * half }
    return (0..<width / wing).flatMap { wingIndex in sorted.map { wingIndex * wing + $0 } }
  }
}
