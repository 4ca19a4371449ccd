import HubWords
import HubWeights

extension PEFTMethod {
  /// OFT (Qiu et al. 2023): `W (x R) + b`, `R` being rotations of blocks of columns, each Cayley's transform of the
  /// skew-symmetric matrix whose upper half the file has. Kept as the matrix `Rᵀ`.
  static let oft: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config, targets = try PEFTTargets(JSONObject(config.members.with(["r": .null])))
    try refuseOptions(
      config,
      except: ["oft_block_size", "coft", "eps", "block_share", "use_cayley_neumann", "num_cayley_neumann_terms"])
    try targets.check(files.modules, saved: files.others)
    var layers = PEFTLinearLayers()
    for module in files.modules {
      try module.checkOnly(["oft_R.weight"])
      let (count, elements, values) = try module.matrix("oft_R.weight"), size = try blockSize(elements, module)
      let rotations = try (0..<count).map { index in
        try rotation(Array(values[index * elements..<(index + 1) * elements]), size, count, config)
      }
      let blocks = try blockCount(count, size, config, module)
      let matrix = SquareMatrix.diagonal((0..<blocks).map { rotations[$0 % count] }).transposed
      try layers.add(module, rotation: matrix, scale: nil)
    }
    return layers.method("oft", rotating, isWhole: targets.isWhole && files.encoderLayers == nil)
  }

  static let rotating: JSON.Members = ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"]

  /// `b` of `b (b − 1) / 2` elements above the diagonal.
  private static func blockSize(_ elements: Int, _ module: PEFTModule) throws -> Int {
    let size = Int((1 + (1 + 8 * Double(elements)).squareRoot()) / 2)
    guard size * (size - 1) / 2 == elements, (2...1024).contains(size) else {
      throw Failure(.unknownForeignTensor, "\(elements) numbers do not make half of a square block", at: module.name)
    }
    return size
  }

  /// Blocks may share one rotation; how many there are then is what `r` says.
  private static func blockCount(_ count: Int, _ size: Int, _ config: JSONObject, _ module: PEFTModule) throws -> Int {
    let named = try config.optionalInteger("r") ?? 0, isShared = try config.optionalBool("block_share") ?? false
    guard isShared else {
      let blockSize = try config.optionalInteger("oft_block_size") ?? 0
      guard named == 0 || named == count, blockSize == 0 || blockSize == size else {
        throw Failure(
          .unsupportedForeignContent,
          "the tensors have \(count) blocks of \(size), but r or oft_block_size says otherwise",
          at: module.name)
      }
      return count
    }
    guard count == 1, (1...65_536).contains(named) else {
      throw Failure(
        .unsupportedForeignContent, "without r, it is unknown how many blocks share the rotation", at: "block_share")
    }
    return named
  }

  private static func rotation(_ upper: [Float], _ size: Int, _ count: Int, _ config: JSONObject) throws -> SquareMatrix
  {
    var skew = SquareMatrix(size), next = upper.makeIterator()
    for i in 0..<size {
      for j in i + 1..<max(size, i + 1) {
        let value = Double(next.next() ?? 0)
        (skew[i, j], skew[j, i]) = (value, -value)
      }
    }
    if try config.optionalBool("coft") ?? false {
      // Constrained rotations stay near none.
      let limit = (try config.optionalNumber("eps") ?? 6e-5) / Double(count).squareRoot()
      let norm = skew.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > limit { skew.values = skew.values.map { $0 * limit / norm } }
    }
    guard try config.optionalBool("use_cayley_neumann") ?? true else { return skew.cayley }
    let terms = try config.optionalInteger("num_cayley_neumann_terms") ?? 5
    guard (1...64).contains(terms) else {
      throw Failure.outside(1...64, terms, .unsupportedForeignContent, at: "num_cayley_neumann_terms")
    }
    return skew.cayley(terms: terms)
  }
}

extension PEFTLinearLayers {
  /// Adds a rotation of what a layer reads, `y = scale ⊙ W M x + b`.
  mutating func add(_ module: PEFTModule, rotation: SquareMatrix, scale: StoredTensor?) throws {
    let output = try outputs(of: module, input: rotation.size, scale?.count)
    let matrix = try StoredTensor(name: "rotation", shape: [rotation.size, rotation.size], floats: rotation.floats)
    try add(
      module, shape: (output, rotation.size), ["form": scale == nil ? "rotation" : "scaled_rotation"],
      [matrix] + (scale.flatMap { $0.reshaped([$0.count, 1]) }.map { [$0.renamed("scale")] } ?? []))
  }

  private func outputs(of module: PEFTModule, input: Int, _ known: Int?) throws -> Int {
    if let known { return known }
    // A rotation tells the width of what goes into a layer. What comes out of the last one is the model's.
    guard module.place?.place == "output" else { return input }
    guard hiddenSize > 0 else { throw PEFTMethod.unplaced(module) }
    return hiddenSize
  }
}
