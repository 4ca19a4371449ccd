import HubBundle
import HubModels
import HubWords
import HubWeights

/// Which modules the configuration of an adapter means, and what it says of them, by the rules with which PEFT matches
/// full names (`check_target_module_exists` and `get_pattern_key` in 0.21).
///
/// The tensors say which modules are adapted. What the configuration says must be the same: PEFT leaves out in silence
/// what is only in one of the two.
struct PEFTTargets {
  private let config: JSONObject
  private let matches: (String) -> Bool
  /// The names in a list of targets.
  private let names: [String]?
  private let layers: Set<Int>?

  init(_ config: JSONObject) throws {
    self.config = config
    layers = try Self.layers(config)
    let targets = config.members["target_modules"]
    if let text = targets?.string {
      names = nil
      let pattern = text == "all-linear" ? nil : try locating("target_modules") { try ModulePattern(text) }
      matches = { pattern?.matches($0) ?? true }
    } else {
      let list = try config.optionalStrings("target_modules")
      guard list?.isEmpty != true else {
        throw Failure(.unsupportedForeignContent, "the list of targets is empty", at: "target_modules")
      }
      names = list
      matches = { name in list?.contains { name == $0 || name.hasSuffix(".\($0)") } ?? true }
    }
  }

  private static func layers(_ config: JSONObject) throws -> Set<Int>? {
    let value = config.members["layers_to_transform"] ?? .null
    if value.isNull || value.array?.isEmpty == true { return nil }
    guard let layers = value.integers ?? value.integer.map({ [$0] }),
      layers.allSatisfy({ (0..<InputLimits.layers).contains($0) })
    else { throw Failure(.unsupportedForeignContent, "expected numbers of layers", at: "layers_to_transform") }
    return Set(layers)
  }

  /// Whether the adapter was made for all layers of the model, as far as the configuration tells.
  var isWhole: Bool {
    layers == nil && names != nil && [nil, .null, .array([]), .string("")].contains(config.members["exclude_modules"])
  }

  /// Makes sure that configuration and tensors speak of the same modules.
  ///
  /// - Throws: ``Failure`` that names the module, or the target.
  ///
  /// - Parameter saved: the names of tensors of modules that are saved as a whole, which are never adapted
  func check(_ modules: [PEFTModule], saved: [StoredTensor] = []) throws {
    let excluded = try exclusion()
    for module in modules {
      guard matches(module.name), !excluded(module.name), try isInLayers(module) else {
        throw Failure(
          .unsupportedForeignContent, "the file has weights for a module that the configuration leaves out",
          at: module.name,
          hint: "target_modules, layers_to_transform, layers_pattern and exclude_modules say which modules are adapted")
      }
    }
    guard !modules.isEmpty else {
      throw Failure(.missingForeignTensor, "the file has no weights for the targets", at: "target_modules")
    }
    let names = modules.map(\.name) + saved.map { $0.name.dotted.dropLast().joined(separator: ".") }
    let unused = self.names?.first { name in !names.contains { $0 == name || $0.hasSuffix(".\(name)") } }
    if let unused {
      throw Failure(
        .missingForeignTensor, "the file has no weights for the target \(unused.debugDescription)", at: "target_modules"
      )
    }
    try checkLayers(modules, excluded)
  }

  /// What is adapted in one layer is so in each of them.
  private func checkLayers(_ modules: [PEFTModule], _ excluded: (String) -> Bool) throws {
    let placed = modules.compactMap(\.place), adapted = Set(placed.map(\.layer))
    if let layers, let missing = layers.subtracting(adapted).min() {
      throw Failure(.missingForeignTensor, "the file has no weights for layer \(missing)", at: "layers_to_transform")
    }
    // A regular expression, or a full name, may mean some modules only.
    guard let names, names.allSatisfy({ name in !name.dotted.contains { Int($0) != nil } }), let last = adapted.max()
    else {
      return
    }
    func isCrossing(_ place: String) -> Bool { Site.Place(rawValue: place)?.isCrossing ?? false }
    // Only a decoder reads an encoder's states.
    let firstOfDecoder = placed.filter { isCrossing($0.place) }.map(\.layer).min() ?? 0
    for place in Set(placed.map(\.place)).sorted() {
      let expected = (layers ?? Set(0...last)).filter { !isCrossing(place) || $0 >= firstOfDecoder }
      let own = Set(placed.filter { $0.place == place }.map(\.layer))
      guard let known = modules.first(where: { $0.place?.place == place }), let layer = known.place?.layer else {
        continue
      }
      let missing = expected.subtracting(own).sorted().first { !excluded(known.name.inLayer($0, insteadOf: layer)) }
      guard let missing else { continue }
      throw Failure(
        .missingForeignTensor, "the file has no weights for the \(place) of layer \(missing)", at: "target_modules")
    }
  }

  private func exclusion() throws -> (String) -> Bool {
    if let text = config.members["exclude_modules"]?.string {
      let pattern = try locating("exclude_modules") { try ModulePattern(text) }
      return pattern.matches
    }
    let list = try config.optionalStrings("exclude_modules") ?? []
    return { name in list.contains { name == $0 || name.hasSuffix(".\($0)") } }
  }

  /// The first number after a list of layers is the layer's.
  private func isInLayers(_ module: PEFTModule) throws -> Bool {
    guard let layers, config.members["target_modules"]?.string == nil else { return true }
    let pattern = config.members["layers_pattern"] ?? .null
    let patterns = pattern.string.map { $0.isEmpty ? [] : [$0] } ?? pattern.strings ?? []
    let parts = module.name.dotted
    for index in parts.indices.dropFirst() {
      guard let number = Int(parts[index]), index < parts.count - 1 else { continue }
      guard !patterns.isEmpty else { return index >= 2 && layers.contains(number) }
      let before = parts[..<index].joined(separator: ".")
      if try patterns.contains(where: { try ModulePattern("(?:.*\\.)?(?:\($0))").matches(before) }) {
        return layers.contains(number)
      }
    }
    return false
  }

  /// What `rank_pattern` or `alpha_pattern` says of a module: the value of the first key that matches its name's end.
  func value(in key: String, of module: PEFTModule) throws -> JSON? {
    for entry in try config.optionalObject(key)?.members.entries ?? [] {
      let pattern = try locating("\(key).\(entry.key)") { try ModulePattern("(.*\\.)?(\(entry.key))") }
      if pattern.matches(module.name) { return entry.value }
    }
    return nil
  }

  /// The rank that the configuration gives a module.
  func rank(of module: PEFTModule, absent: Int = 8) throws -> Int {
    let own = try value(in: "rank_pattern", of: module)
    guard let rank = try own.map({ $0.integer }) ?? config.optionalInteger("r") ?? absent, (1...65_536).contains(rank)
    else {
      throw Failure(
        .unsupportedForeignContent, "a rank must be a number between 1 and 65536", at: own == nil ? "r" : "rank_pattern"
      )
    }
    return rank
  }

  /// Makes sure that a module's tensors have the rank of the configuration, on which the scale depends.
  func check(rank: Int, of module: PEFTModule, absent: Int = 8) throws {
    let expected = try self.rank(of: module, absent: absent)
    guard rank == expected else {
      throw Failure(
        .unsupportedForeignContent,
        "r and rank_pattern give the module the rank \(expected), but its tensors have \(rank): the scale is unknown",
        at: module.name, hint: "put the rank into r or rank_pattern of adapter_config.json, as it was in training")
    }
  }

  /// The factor `alpha` of a module.
  func alpha(of module: PEFTModule, key: String = "lora_alpha", absent: Double = 8) throws -> Double {
    let own = try value(in: "alpha_pattern", of: module)
    guard let alpha = try own.map({ $0.number }) ?? config.optionalNumber(key) ?? absent, alpha.isFinite else {
      throw Failure(.unsupportedForeignContent, "a factor must be a number", at: own == nil ? key : "alpha_pattern")
    }
    return alpha
  }
}

extension String {
  /// The name of the same module in another layer.
  fileprivate func inLayer(_ other: Int, insteadOf layer: Int) -> String {
    var parts = dotted.map(String.init)
    if let index = parts.firstIndex(of: "\(layer)") { parts[index] = "\(other)" }
    return parts.joined(separator: ".")
  }
}
