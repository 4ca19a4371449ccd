import HubModels
import HubWords

/// The names that each of the library's methods gives its tensors in a family of models, `@` being the adapter. One
/// function a method.
struct AdapterHubTables {
  typealias Pair = NameTable.Pair

  let family: ModelFamily
  let stacks: [AdapterHubStack]

  /// - Parameter encoderLayers: how many layers come before a decoder's, where there is one
  init(family: ModelFamily, encoderLayers: Int?) {
    self.family = family
    stacks = AdapterHubStack.all(of: family, encoderLayers: encoderLayers)
  }

  /// The table of a configuration; of a union, those of all its parts.
  func table(for configuration: JSON.Members) -> NameTable {
    NameTable(pairs(configuration), lists: Set(stacks.map(\.listName) + ["units"]))
  }

  private func pairs(_ configuration: JSON.Members) -> [Pair] {
    switch configuration["architecture"]?.string {
    case "lora": lora
    case "mtl_lora": multiTaskLoRA
    case "prompt_tuning": [Pair("prompt_tuning.prompt_tunings.@.prompt_embedding.weight", "prompt.embedding")]
    case "prefix_tuning": prefix
    case "reft": reft
    case "union": (configuration["configs"]?.array ?? []).compactMap(\.object).flatMap(pairs)
    default: bottleneck(hasNorm: configuration["ln_before"] == true, isHypercomplex: configuration["phm_layer"] == true)
    }
  }

  /// With `ln_before` the library writes the norm twice, and the linear layer comes second.
  private func bottleneck(hasNorm: Bool, isHypercomplex: Bool) -> [Pair] {
    let down = hasNorm ? "adapter_down.1" : "adapter_down.0"
    var pairs = ["F", "G"].flatMap { half in
      [("0", "down"), ("2", "up")].flatMap { index, name in
        Self.both(
          "\(family.adapterHub.embeddings)invertible_adapters.@.\(half).\(index)",
          "invertible.\(half.lowercased()).\(name)")
      }
    }
    for stack in stacks {
      for (place, module) in stack.sublayers.sorted(by: { $0.key < $1.key }) {
        let foreign = "\(stack.modules.list).#.\(module).adapters.@", stable = "layers.#.\(place.rawValue)"
        let layer = isHypercomplex ? Self.hypercomplex : { Self.both($0, $1) }, both = Self.both
        var own = layer("\(foreign).\(down)", "\(stable).down") + layer("\(foreign).adapter_up", "\(stable).up")
        if hasNorm { own += both("\(foreign).adapter_down.0", "\(stable).norm_before", false) }
        own += both("\(foreign).adapter_norm_before", "\(stable).norm_before", true)
        own += both("\(foreign).adapter_norm_after", "\(stable).norm_after", false)
        own += both("\(foreign).gate", "\(stable).gate", false)
        own.append(Pair("\(foreign).scaling", "\(stable).scaling"))
        pairs += stack.placed(own)
      }
    }
    return pairs
      + ["phm_rule", "phm_rule_left", "phm_rule_right"].map {
        Pair("shared_parameters.@.\($0)", "shared.\($0.dropFirst(4))")
      }
      + ["down", "up"].flatMap { layer in
        ["", "_left", "_right"].map { Pair("shared_parameters.@.W_\(layer)\($0)", "shared.\(layer).w\($0)") }
      }
  }

  /// A layer of Compacter.
  private static func hypercomplex(_ foreign: String, _ stable: String) -> [Pair] {
    [
      ("W", "w"), ("W_left", "w_left"), ("W_right", "w_right"), ("phm_rule", "rule"), ("phm_rule_left", "rule_left"),
      ("phm_rule_right", "rule_right"),
      ("b", "bias"),
    ].map { Pair("\(foreign).\($0)", "\(stable).\($1)") }
  }

  /// LoRA, (IA)³, VeRA and DoRA.
  private var lora: [Pair] {
    linearLayers([
      ("lora_A", "lora_a"), ("lora_B", "lora_b"), ("m.weight", "magnitude"), ("vera_D", "vera_d"), ("vera_B", "vera_b"),
    ])
      + [Pair("shared_parameters.@.lora_A", "shared.lora_a"), Pair("shared_parameters.@.lora_B", "shared.lora_b")]
  }

  private var multiTaskLoRA: [Pair] {
    linearLayers([
      ("lora_A", "lora_a"), ("lora_B", "lora_b"), ("task_specific.values", "task_values"), ("weights", "task_weights"),
    ])
  }

  /// What each linear layer that the library adapts has.
  private func linearLayers(_ parameters: [(foreign: String, stable: String)]) -> [Pair] {
    let all = parameters + [("gate.weight", "gate.weight"), ("gate.bias", "gate.bias")]
    func pairs(_ list: String, _ module: String, _ stable: String, isAlias: Bool = false) -> [Pair] {
      all.map { Pair("\(list).#.\(module).loras.@.\($0.foreign)", "layers.#.\(stable).\($0.stable)", isAlias: isAlias) }
    }
    return stacks.flatMap { stack -> [Pair] in
      let modules = stack.modules, adapted = Site.Place.allCases.filter { $0.isLinear && $0 != .gate }
      let joined = modules.joined.map { pairs(modules.list, $0.path, AdapterHubJoined.place) } ?? []
      let single = adapted.filter { modules.joined?.places.contains($0) != true }.flatMap { place in
        (modules.linear[place].map { pairs(modules.list, $0, place.rawValue) } ?? [])
          + (modules.otherNames[place].map { pairs(modules.list, $0, place.rawValue, isAlias: true) } ?? [])
      }
      return stack.placed(joined + single)
    }
  }

  /// The library repeats all prefixes in each attention.
  private var prefix: [Pair] {
    func pairs(_ foreign: String, _ stable: String, isAlias: Bool) -> [Pair] {
      let layers =
        Self.both("\(foreign).control_trans.0", "\(stable).down", isAlias: isAlias)
        + Self.both("\(foreign).control_trans.2", "\(stable).up", isAlias: isAlias)
      return layers + [
        Pair("\(foreign).wte.weight", "\(stable).embedding", isAlias: isAlias),
        Pair("\(foreign).control_trans", "\(stable).values", isAlias: isAlias),
      ]
    }
    let keys =
      [(family.adapterHub.selfPrefix, "prefix")]
      + (family.decoderLayers == nil ? [] : [("encoder_prefix", "encoder_prefix"), ("cross_prefix", "cross_prefix")])
    let modules = stacks.flatMap { stack in
      stack.prefixes.map { (stack, $0.key, "\(stack.modules.list).#.\($0.value)") }
    }
    return keys.flatMap { key, stable in
      pairs("prefix_tuning.prefix_tunings.@.\(key)", stable, isAlias: false)
        + modules.flatMap { pairs("\($0.2).pool.prefix_tunings.@.\(key)", stable, isAlias: true) }
    }
      + modules.flatMap { stack, place, module in
        stack.placed(Self.both("\(module).prefix_gates.@", "layers.#.\(place.rawValue).gate"))
      }
  }

  private var reft: [Pair] {
    stacks.flatMap { stack in
      let foreign = "\(stack.modules.list).#.reft_layer.refts.@.units.#", stable = "layers.#.layer.units.#"
      return stack.placed(
        Self.both("\(foreign).learned_source", "\(stable).source") + [
          Pair("\(foreign).projection.weight", "\(stable).projection"),
          Pair("\(foreign).projection.parametrizations.weight.original", "\(stable).projection_original"),
          Pair("\(foreign).projection.parametrizations.weight.0.base", "\(stable).projection_base"),
        ])
    }
  }

  /// The types of heads that have a table.
  static let heads: Set<String> = [
    "classification", "multilabel_classification", "multiple_choice", "tagging", "question_answering",
    "dependency_parsing", "masked_lm", "causal_lm", "seq2seq_lm",
  ]

  /// The library numbers a head's modules, dropouts and activations included; we number its linear layers.
  static func table(forHead configuration: JSON.Members) -> NameTable {
    let layers = min(max(1, configuration["layers"]?.integer ?? 1), 16), type = configuration["head_type"]?.string
    if type == "dependency_parsing" {
      return NameTable([
        Pair("heads.@.biaffine_arcs.weight", "arcs.weight"), Pair("heads.@.biaffine_rels.weight", "relations.weight"),
      ])
    }
    if ["masked_lm", "causal_lm", "seq2seq_lm"].contains(type) {
      // Each inner layer is a linear one, an activation and a norm, where there are any.
      let hasActivation = configuration["activation_function"]?.string != nil,
        hasNorm = configuration["layer_norm"] == true
      let step = 1 + (hasActivation ? 1 : 0) + (hasNorm ? 1 : 0)
      let inner = (0..<layers - 1).flatMap { index -> [Pair] in
        let number = index == 0 ? "" : ".\(index)"
        return both("heads.@.\(index * step)", "dense\(number)")
          + (hasNorm ? both("heads.@.\((index + 1) * step - 1)", "norm\(number)") : [])
      }
      return NameTable(inner + both("heads.@.\((layers - 1) * step)", "decoder"))
    }
    let step = configuration["activation_function"]?.string == nil ? 2 : 3
    return NameTable((0..<layers).flatMap { both("heads.@.\(1 + $0 * step)", "linear.\($0)") })
  }

  private static func both(_ foreign: String, _ stable: String, isAlias: Bool = false) -> [Pair] {
    ["weight", "bias"].map { Pair("\(foreign).\($0)", "\(stable).\($0)", isAlias: isAlias) }
  }
}
