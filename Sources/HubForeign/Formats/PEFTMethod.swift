import HubModels
import HubWords
import HubWeights

/// An adapter of one of PEFT's types in the words of the bundle format.
struct PEFTMethod {
  let name: String
  let configuration: JSON.Members
  let weights: [StoredTensor]
  let hiddenSize: Int

  /// A function for each `peft_type`: it is given the configuration, the tensors without the prefixes of their names, and
  /// the family of the base model.
  static let all: [String: Reader] = [
    "LORA": lora, "IA3": ia3, "PREFIX_TUNING": prefixTuning, "PROMPT_TUNING": promptTuning,
  ]

  typealias Reader = @Sendable (JSONObject, [StoredTensor], ModelFamily) throws -> PEFTMethod

  /// `encoder.layer.3.attention.self.query.lora_A.weight`, taken apart.
  private struct Name {
    let layer: Int
    let place: String
    /// The path of the linear layer, as the base model calls it.
    let module: String
    let parameter: String

    init(_ tensor: StoredTensor, in family: ModelFamily) throws {
      guard let (site, rest) = family.layers.split(tensor.name), site.layer < 1024,
        let path = family.layers.path(at: site)
      else {
        throw Failure(
          .unsupportedForeignContent, "the tensor adapts a layer that Dovetail has no site for", at: tensor.name)
      }
      (layer, place, module, parameter) = (site.layer, site.place.rawValue, path, rest)
    }

    var target: String { "\(layer).\(place)" }
    var stable: String { "layers.\(layer).\(place)" }
  }
}

extension PEFTMethod {
  /// `W x + b + s·B A x`, `s = alpha / r` or with `use_rslora` `alpha / √r`; DoRA as the paper has it.
  private static let lora: Reader = { c, tensors, family in
    let names = [
      "lora_A.weight": "lora_a", "lora_B.weight": "lora_b", "lora_B.bias": "lora_b_bias",
      "lora_magnitude_vector": "magnitude",
      "lora_magnitude_vector.weight": "magnitude",
    ]
    var targets: [String: JSON.Members] = [:], weights: [StoredTensor] = [], hiddenSize = 0
    let alpha = try c.optionalNumber("lora_alpha") ?? 8, patterns = try alphaPatterns(c)
    for tensor in tensors {
      let name = try Name(tensor, in: family)
      guard let parameter = names[name.parameter] else {
        throw Failure(
          .unsupportedForeignContent, "the tensor belongs to a kind of LoRA that is not supported", at: tensor.name)
      }
      let stored = parameter == "magnitude" ? tensor.reshaped([tensor.count, 1]) ?? tensor : tensor
      weights.append(stored.renamed("\(name.stable).\(parameter)"))
      guard parameter == "lora_a", let rank = tensor.shape.first else { continue }
      let own = patterns.first { name.module == $0.name || name.module.hasSuffix(".\($0.name)") }?.alpha ?? alpha
      targets[name.target] = ["r": .integer(rank), "alpha": .number(own)]
      if name.place != "output" { hiddenSize = tensor.shape.last ?? 0 }
      if hiddenSize == 0, let b = tensors.first(where: { $0.name == tensor.name.replacing("lora_A", with: "lora_B") }) {
        hiddenSize = b.shape.first ?? 0
      }
    }
    var configuration: JSON.Members = ["architecture": "lora", "composition_mode": "add", "init_weights": "lora"]
    let isScaled = try c.optionalBool("use_rslora") ?? false, hasMagnitudes = try c.optionalBool("use_dora") ?? false
    let hasBias = weights.contains { $0.name.hasSuffix("lora_b_bias") }
    if isScaled { configuration["use_rslora"] = true }
    if hasBias { configuration["lora_bias"] = true }
    if hasMagnitudes { configuration = configuration.with(["use_dora": true, "dora_form": "peft"]) }
    configuration = configuration.with(isWhole(c) ? simplified(targets) ?? named(targets) : named(targets))
    return PEFTMethod(
      name: hasMagnitudes ? "dora" : "lora", configuration: configuration, weights: weights, hiddenSize: hiddenSize)
  }

  /// Vectors that multiply what a layer gives, or of shape `[1, in]` what a feed-forward layer reads.
  private static let ia3: Reader = { c, tensors, family in
    var targets: [String: JSON.Members] = [:], hiddenSize = 0
    let weights = try tensors.map { tensor in
      let name = try Name(tensor, in: family), scalesInput = tensor.shape.first == 1 && tensor.count > 1
      targets[name.target] = scalesInput ? ["scales_input": true] : [:]
      if name.place == "intermediate" ? scalesInput : name.place == "output" ? !scalesInput : true {
        hiddenSize = tensor.count
      }
      return (tensor.reshaped([tensor.count, 1]) ?? tensor).renamed("\(name.stable).lora_b")
    }
    var configuration: JSON.Members = [
      "architecture": "lora", "composition_mode": "scale", "init_weights": "ia3", "r": 1, "alpha": 1,
    ]
    let plain = targets.values.contains { $0["scales_input"] == true } ? nil : simplified(targets)
    configuration = configuration.with(plain ?? named(targets))
    return PEFTMethod(name: "ia3", configuration: configuration, weights: weights, hiddenSize: hiddenSize)
  }

  /// `[tokens, 2 · layers · hidden]`: keys and values of all layers; the text's positions begin behind them.
  private static let prefixTuning: Reader = { c, tensors, family in
    let length = try c.integer("num_virtual_tokens"), hiddenSize = try c.integer("token_dim")
    guard try c.optionalInteger("num_transformer_submodules") ?? 1 == 1 else {
      throw Failure(
        .unsupportedForeignContent, "prefixes of encoder-decoder models are not supported",
        at: "num_transformer_submodules")
    }
    guard tensors.count == 1, let tensor = tensors.first, tensor.name == "prompt_embeddings",
      tensor.shape.first == length,
      let flat = tensor.reshaped([tensor.count])
    else {
      throw Failure(
        .unknownForeignTensor, "expected the one tensor prompt_embeddings of \(length) rows", at: tensors.first?.name)
    }
    return PEFTMethod(
      name: "prefix_tuning_flat",
      configuration: [
        "architecture": "prefix_tuning", "flat": true, "prefix_length": .integer(length), "shift_positions": true,
      ],
      weights: [flat.renamed("prefix.values")], hiddenSize: hiddenSize)
  }

  /// `[tokens, hidden]`: words before the text's.
  private static let promptTuning: Reader = { c, tensors, family in
    let length = try c.integer("num_virtual_tokens")
    guard tensors.count == 1, let tensor = tensors.first, tensor.name == "prompt_embeddings", tensor.shape.count == 2,
      tensor.shape[0] == length
    else {
      throw Failure(
        .unknownForeignTensor, "expected the one tensor prompt_embeddings of \(length) rows", at: tensors.first?.name)
    }
    return PEFTMethod(
      name: "prompt_tuning",
      configuration: ["architecture": "prompt_tuning", "prompt_length": .integer(length), "combine": "words"],
      weights: [tensor.renamed("prompt.embedding")], hiddenSize: tensor.shape[1])
  }

  /// The numbers of `alpha_pattern`, whose keys are the ends of module names.
  private static func alphaPatterns(_ c: JSONObject) throws -> [(name: String, alpha: Double)] {
    try (c.optionalObject("alpha_pattern")?.members.entries ?? []).map { entry in
      let name = entry.key.hasPrefix("^") ? String(entry.key.dropFirst()) : entry.key
      guard let alpha = entry.value.number, name.allSatisfy({ $0.isLetter || $0.isNumber || "._".contains($0) }) else {
        throw Failure(
          .unsupportedForeignContent, "a key must be a name without special characters, and its value a number",
          at: "alpha_pattern.\(entry.key)")
      }
      return (name, alpha)
    }
  }

  /// Whether the adapter was made for all layers of the model.
  private static func isWhole(_ c: JSONObject) -> Bool {
    guard let layers = c.members["layers_to_transform"] else { return true }
    return layers.isNull
  }

  private static func named(_ targets: [String: JSON.Members]) -> JSON.Members {
    let members = targets.sorted { $0.key < $1.key }.reduce(into: JSON.Members()) { $0[$1.key] = .object($1.value) }
    return ["targets": .object(members)]
  }

  /// The Python library's switches, if they can say the same: the same linear layers in every layer, with one rank.
  private static func simplified(_ targets: [String: JSON.Members]) -> JSON.Members? {
    guard let common = targets.first?.value, targets.values.allSatisfy({ $0 == common }) else { return nil }
    let names = targets.keys.map { $0.split(separator: ".") }, layers = Set(names.map { $0[0] }),
      places = Set(names.map { String($0[1]) })
    let attention = [("query", "q"), ("key", "k"), ("value", "v")].filter { places.contains($0.0) }.map {
      JSON.string($0.1)
    }
    guard targets.count == layers.count * places.count, !places.contains("attention_output"),
      (0..<layers.count).allSatisfy({ layers.contains("\($0)") })
    else { return nil }
    return common.with([
      "selfattn_lora": .bool(!attention.isEmpty), "attn_matrices": .array(attention),
      "intermediate_lora": .bool(places.contains("intermediate")),
      "output_lora": .bool(places.contains("output")),
    ])
  }
}
