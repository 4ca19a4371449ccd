public import HubWords

extension Failure.Code {
  /// Weights are quantised in a way that is not read, or their parts do not fit each other.
  public static let quantizedWeights = Self("model/quantized", .badData)
}

/// Matrices in eight bits with one scale for each row: the format `int-quantized` of the library compressed-tensors. An
/// element is the integer times the scale of its row.
public enum CompressedTensors {
  private static let scaleSuffix = "_scale"

  /// What `config.json` says, as `quantization_config`, of a model that ``compressed(_:)`` made.
  public static let configuration: JSON.Members = [
    "quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
    "config_groups": [
      "group_0": [
        "targets": ["Linear", "Embedding"], "input_activations": .null, "output_activations": .null,
        "weights": [
          "num_bits": 8, "type": "int", "symmetric": true, "strategy": "channel", "dynamic": false,
        ],
      ]
    ], "ignore": [],
  ]

  /// The tensors of a model with its matrices as 32-bit numbers.
  ///
  /// - Parameter configuration: the whole of `config.json`
  /// - Throws: ``Failure`` with code ``Failure/Code/quantizedWeights``: another format, quantised activations, a matrix
  ///   without scales, or scales that do not fit it.
  public static func expanded(_ tensors: [StoredTensor], _ configuration: JSONObject) throws -> [StoredTensor] {
    guard let description = try configuration.optionalObject("quantization_config") else { return tensors }
    try check(description)
    let byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return try tensors.compactMap { tensor in
      if tensor.name.hasSuffix(scaleSuffix), byName[String(tensor.name.dropLast(scaleSuffix.count))] != nil {
        return nil
      }
      guard tensor.type == .int8 else { return tensor }
      guard let scales = byName[tensor.name + scaleSuffix] else {
        throw Failure(.quantizedWeights, "the matrix is in eight bits, but has no scales", at: tensor.name)
      }
      return try expanded(tensor, scales)
    }
  }

  private static func check(_ description: JSONObject) throws {
    func refuse(_ what: String, _ key: String) -> Failure {
      Failure(
        .quantizedWeights, "the weights are quantised in a way that is not supported: \(what)",
        at: description.path(to: key),
        hint: "supported are int-quantized of compressed-tensors, and GGUF files; or use the original model")
    }
    let method = try description.optionalString("quant_method") ?? "nothing"
    guard method == "compressed-tensors" else { throw refuse(method, "quant_method") }
    let format = try description.optionalString("format") ?? "nothing"
    guard format == "int-quantized" else { throw refuse(format, "format") }
    let groups = try description.object("config_groups")
    for key in groups.members.entries.map(\.key) {
      let group = try groups.object(key), weights = try group.object("weights")
      for part in ["input_activations", "output_activations"] where !(group.members[part] ?? .null).isNull {
        throw refuse("its activations are, too", "config_groups.\(key).\(part)")
      }
      let bits = try weights.integer("num_bits"), strategy = try weights.optionalString("strategy") ?? "tensor"
      guard bits == 8 else { throw refuse("\(bits) bits", "config_groups.\(key).weights.num_bits") }
      guard ["channel", "tensor"].contains(strategy) else {
        throw refuse("a scale for each \(strategy)", "config_groups.\(key).weights.strategy")
      }
      guard try weights.optionalBool("symmetric") ?? true else {
        throw refuse("with zero points", "config_groups.\(key).weights.symmetric")
      }
    }
  }

  private static func expanded(_ tensor: StoredTensor, _ scales: StoredTensor) throws -> StoredTensor {
    let rows = tensor.shape.first ?? 0
    guard tensor.shape.count == 2, rows > 0, scales.count == rows || scales.count == 1 else {
      throw Failure(
        .quantizedWeights, "the scales \(scales.shape) do not fit the matrix \(tensor.shape)", at: tensor.name)
    }
    try scales.checkFinite()
    let factors = try scales.floats(), columns = tensor.count / rows
    let values = tensor.withBytes { bytes in
      (0..<tensor.count).map {
        Float(Int8(bitPattern: bytes[$0])) * factors[factors.count == 1 ? 0 : $0 / max(1, columns)]
      }
    }
    return try StoredTensor(name: tensor.name, shape: tensor.shape, floats: values)
  }

  /// The tensors of a model with its matrices in eight bits: each row's largest magnitude becomes 127. Vectors stay as
  /// they are.
  ///
  /// - Throws: ``Failure``: a matrix of integers already, or one that holds what is not finite.
  public static func compressed(_ tensors: [StoredTensor]) throws -> [StoredTensor] {
    try tensors.flatMap { tensor in
      guard tensor.shape.count == 2, tensor.count > 0, tensor.type.isFloatingPoint else { return [tensor] }
      try tensor.checkFinite()
      let rows = tensor.shape[0], columns = tensor.shape[1], values = try tensor.floats()
      var bytes: [UInt8] = [], scales: [Float] = []
      bytes.reserveCapacity(values.count)
      for row in 0..<rows {
        let row = values[row * columns..<(row + 1) * columns]
        let largest = row.reduce(0) { max($0, abs($1)) }, scale = largest / 127
        scales.append(scale)
        bytes += row.map { UInt8(bitPattern: scale > 0 ? Int8(($0 / scale).rounded()) : 0) }
      }
      return [
        try StoredTensor(name: tensor.name, type: .int8, shape: tensor.shape, bytes: bytes),
        try StoredTensor(name: tensor.name + scaleSuffix, shape: [rows, 1], floats: scales),
      ]
    }
  }
}
