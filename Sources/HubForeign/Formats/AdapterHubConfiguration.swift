import HubModels
public import HubWords

extension Failure.Code {
  /// A GLOW block, which no library can run.
  public static let glowAdapter = Self("foreign/glow", .badData)
}

/// AdapterHub's configurations in today's form, whatever version wrote them.
enum AdapterHubConfiguration {
  /// The `config` of an `adapter_config.json`: a named one spelt out, old keys and old names of activations replaced.
  ///
  /// - Parameter hasInvertible: whether the weights have an invertible part. The task adapters of version 1 speak of
  ///   one that they never had, which the library drops.
  static func normalized(_ json: JSONObject, hasInvertible: Bool) throws -> JSON.Members {
    var config: JSON.Members
    if let name = json.members["config"]?.string {
      guard let known = named[name] else {
        throw Failure(.unknownForeignFormat, "the configuration \(name.debugDescription) is unknown", at: "config")
      }
      config = known
    } else {
      config = try json.object("config").members
      // A DiReFT does not say what it is in its file, and the library reads it as if it did not, even if it says so.
      config["subtract_projection"] = nil
    }
    if let old = config["invertible_adapter"] {
      config["invertible_adapter"] = nil
      if let block = old.object, hasInvertible || json.members["type"]?.string != "text_task" {
        config["inv_adapter"] = block["block_type"]
        config["inv_adapter_reduction_factor"] = block["reduction_factor"]
      }
    }
    // Version 1 and 2 wrote no version, and called other functions by these names.
    if json.members["version"] == nil, let activation = config["non_linearity"]?.string {
      config["non_linearity"] = ["gelu": "gelu_new", "gelu_orig": "gelu"][activation] ?? .string(activation)
    }
    if config["architecture"]?.string == "lora", let version = json.members["version"]?.string, isBefore1_1(version) {
      config["alpha"] = config["r"]
    }
    try refuseUnsupported(config, at: "config")
    return config
  }

  /// Versions before 1.1.0 trained LoRA with a scaling of 1, whatever `alpha` says.
  private static func isBefore1_1(_ version: String) -> Bool {
    guard version.hasPrefix("adapters.") else { return false }
    return version.dropFirst(9).split(separator: ".").prefix(2).map { Int($0) ?? 0 }.lexicographicallyPrecedes([1, 1])
  }

  /// The methods that have names in the bundle format, besides bottleneck adapters, which the library does not name.
  static let supported: Set<String> = ["lora", "mtl_lora", "prefix_tuning", "prompt_tuning", "reft", "union"]

  /// What has no names in the bundle format yet is refused by name, before its tensors are looked at.
  private static func refuseUnsupported(_ config: JSON.Members, at path: String) throws {
    if let architecture = config["architecture"]?.string, !supported.contains(architecture) {
      throw Failure(
        .unsupportedForeignContent, "adapters of the method \(architecture.debugDescription) are not supported",
        at: "\(path).architecture")
    }
    if config["inv_adapter"] == "glow" {
      throw Failure(
        .glowAdapter, "invertible adapters of the type \"glow\" cannot be run, not even by the Python library",
        at: "\(path).inv_adapter",
        hint: "train the adapter again with \"nice\"")
    }
    let parts = try JSONObject(config, path: path).optional("configs", "an array") { $0.array } ?? []
    for (index, part) in parts.enumerated() {
      let place = "\(path).configs[\(index)]"
      try refuseUnsupported(try JSONObject(part, path: place).members, at: place)
    }
  }

  /// The layers that an adapter, or a part of a union, leaves out.
  static func leftOutLayers(_ c: JSON.Members) -> Set<Int> {
    Set(c["leave_out"]?.integers ?? []).union(
      (c["configs"]?.array ?? []).compactMap(\.object).flatMap(leftOutLayers))
  }

  /// The library's names of LLaMA's feed-forward layers in our order, and the other way round: it calls the last of
  /// them `intermediate`, and the one before `output`.
  static func exchanged(_ c: JSON.Members, for family: ModelFamily) -> JSON.Members {
    guard family.adapterHub.exchangesFeedForward else { return c }
    var result = c
    if let parts = c["configs"]?.array {
      result["configs"] = .array(parts.map { part in part.object.map { .object(exchanged($0, for: family)) } ?? part })
    }
    guard c["intermediate_lora"] != nil || c["output_lora"] != nil else { return result }
    result["intermediate_lora"] = c["output_lora"] ?? false
    result["output_lora"] = c["intermediate_lora"] ?? false
    return result
  }

  static func fusion(_ json: JSONObject) throws -> JSON.Members {
    switch json.members["config"]?.string {
    case "static":
      ["value": false, "temperature": false, "value_before_softmax": true, "value_initialized": false] as JSON.Members
    case "dynamic": JSON.Members()
    case let other?:
      throw Failure(.unknownForeignFormat, "the fusion \(other.debugDescription) is unknown", at: "config")
    case nil: try json.object("config").members
    }
  }

  /// The `config` of a `head_config.json`.
  static func head(_ json: JSONObject) throws -> JSON.Members {
    guard let config = try json.optionalObject("config") else {
      throw Failure(
        .unsupportedForeignContent, "heads of Hugging Face's own model classes are not supported", at: "config")
    }
    let type = try config.string("head_type")
    guard AdapterHubTables.heads.contains(type) else {
      throw Failure(
        .unsupportedForeignContent, "heads of the type \(type.debugDescription) are not supported",
        at: "config.head_type")
    }
    return try config.members.with(labels(config))
  }

  /// `label2id` with numbers, which JSON made text of on the way through `id2label`.
  static func labels(_ config: JSONObject) throws -> JSON.Members {
    guard let labels = try config.optionalObject("label2id") else { return [:] }
    let numbers = try labels.members.entries.map { entry in
      guard let id = entry.value.integer ?? entry.value.string.flatMap({ Int($0) }) else {
        throw Failure(.unexpectedJSON, "a label needs the number of its output", at: labels.path(to: entry.key))
      }
      return (entry.key, id)
    }
    return ["label2id": .object(numbers.reduce(into: JSON.Members()) { $0[$1.0] = .integer($1.1) })]
  }

  /// The library's named configurations.
  private static let named: [String: JSON.Members] = {
    let pfeiffer: JSON.Members = [
      "mh_adapter": false, "output_adapter": true, "original_ln_before": true, "original_ln_after": true,
      "non_linearity": "relu",
      "reduction_factor": 16,
    ]
    let houlsby: JSON.Members = [
      "mh_adapter": true, "output_adapter": true, "original_ln_before": false, "original_ln_after": true,
      "non_linearity": "swish",
      "reduction_factor": 16,
    ]
    let parallel: JSON.Members = [
      "mh_adapter": false, "output_adapter": true, "original_ln_before": false, "original_ln_after": true,
      "non_linearity": "relu",
      "reduction_factor": 2, "is_parallel": true, "scaling": 4.0, "init_weights": "mam_adapter",
    ]
    let lora: JSON.Members = ["architecture": "lora", "r": 8, "alpha": 8, "attn_matrices": ["q", "v"]]
    let ia3 = lora.with([
      "r": 1, "alpha": 1, "attn_matrices": ["k", "v"], "intermediate_lora": true, "composition_mode": "scale",
      "init_weights": "ia3",
    ])
    let vera = lora.with(["vera_d": 0.1, "vera_b": 0.0, "init_weights": "vera"])
    let hypercomplex: JSON.Members = ["phm_layer": true, "reduction_factor": 32, "non_linearity": "gelu"]
    let inverting: JSON.Members = ["inv_adapter": "nice", "inv_adapter_reduction_factor": 2]
    return [
      "seq_bn": pfeiffer, "pfeiffer": pfeiffer, "double_seq_bn": houlsby, "houlsby": houlsby, "par_bn": parallel,
      "parallel": parallel,
      "scaled_par_bn": parallel.with(["scaling": "learned"]), "scaled_parallel": parallel.with(["scaling": "learned"]),
      "seq_bn_inv": pfeiffer.with(inverting), "pfeiffer+inv": pfeiffer.with(inverting),
      "prefix_tuning": ["architecture": "prefix_tuning"],
      "prefix_tuning_flat": ["architecture": "prefix_tuning", "flat": true],
      "prompt_tuning": ["architecture": "prompt_tuning"], "mtl_lora": lora.with(["architecture": "mtl_lora"]),
      "loreft": ["architecture": "reft", "orthogonality": true],
      "noreft": ["architecture": "reft", "orthogonality": false],
      "direft": ["architecture": "reft", "orthogonality": false, "subtract_projection": false],
      "compacter": houlsby.with(hypercomplex), "compacter++": pfeiffer.with(hypercomplex),
      "lora": lora, "ia3": ia3, "vera": vera, "dora": lora.with(["use_dora": true]),
      "dvora": vera.with(["use_dora": true]),
      "double_seq_bn_inv": houlsby.with(inverting), "houlsby+inv": houlsby.with(inverting),
    ]
  }()

  /// What the field calls a configuration.
  static func methodName(_ c: JSON.Members) -> String {
    if c["architecture"]?.string == "lora" {
      if c["composition_mode"] == "scale" { return "ia3" }
      let vectors = c["vera_d"]?.number != nil
      return c["use_dora"] == true ? (vectors ? "dvora" : "dora") : (vectors ? "vera" : "lora")
    }
    if c["architecture"] == "reft" {
      return c["orthogonality"] == true ? "loreft" : c["subtract_projection"] == false ? "direft" : "noreft"
    }
    if c["architecture"] == "prefix_tuning", c["flat"] == true { return "prefix_tuning_flat" }
    if let architecture = c["architecture"]?.string { return architecture }
    if c["phm_layer"] == true { return c["mh_adapter"] == true ? "compacter" : "compacter++" }
    if c["is_parallel"] == true { return c["scaling"] == "learned" ? "scaled_par_bn" : "par_bn" }
    guard c["output_adapter"] == true else { return "bottleneck" }
    return (c["mh_adapter"] == true ? "double_seq_bn" : "seq_bn") + (c["inv_adapter"]?.string == nil ? "" : "_inv")
  }
}
