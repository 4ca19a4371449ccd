import HubBundle
import HubModels
public import HubWords
import HubWeights

/// A module of the base model that an adapter of PEFT changes, with what the file holds for it.
struct PEFTModule {
  /// The name in the model that PEFT wrapped, its prefix included: patterns of the configuration are matched against
  /// it.
  let name: String
  /// Where it is; `nil` for a module outside of the layers.
  let place: (layer: Int, place: String)?
  /// By what follows the module in the names of the file.
  var tensors: [String: StoredTensor]

  /// What the bundle format calls it.
  var target: String { place.map { "\($0.layer).\($0.place)" } ?? name }
  var stable: String { place.map { "layers.\($0.layer).\($0.place)" } ?? name }
  var isPooler: Bool { name == "pooler.dense" || name.hasSuffix(".pooler.dense") }

  /// A tensor that the type of the adapter has in each module.
  func tensor(_ parameter: String) throws -> StoredTensor {
    guard let tensor = tensors[parameter] else {
      throw Failure(.missingForeignTensor, "the file has no \(parameter) for the module", at: name)
    }
    return tensor
  }

  /// A matrix.
  func matrix(_ parameter: String) throws -> (rows: Int, columns: Int, values: [Float]) {
    let tensor = try tensor(parameter)
    guard tensor.shape.count == 2, tensor.shape.allSatisfy({ (1...65_536 * 16).contains($0) }) else {
      throw Failure(
        .unknownForeignTensor, "expected a matrix, found the shape \(tensor.shape)", at: "\(name).\(parameter)")
    }
    return (tensor.shape[0], tensor.shape[1], try tensor.floats())
  }

  /// Refuses tensors that the type of the adapter does not have.
  func checkOnly(_ parameters: Set<String>) throws {
    guard let other = tensors.keys.sorted().first(where: { !parameters.contains($0) }) else { return }
    throw Failure(
      .unsupportedForeignContent, "the tensor belongs to a kind of adapter that is not supported",
      at: "\(name).\(other)")
  }
}

extension Failure.Code {
  /// A module lacks a tensor that its kind of adapter has.
  public static let missingForeignTensor = Self("foreign/missing-tensor", .badData)
}

/// The configuration and the tensors of an adapter of PEFT, sorted by what they are.
struct PEFTFiles {
  let config: JSONObject
  /// In the order of their names.
  private(set) var modules: [PEFTModule] = []
  /// Prompts, and matrices that all modules share.
  private(set) var shared: [String: StoredTensor] = [:]
  /// What belongs to no adapter: a head in `modules_to_save`.
  private(set) var others: [StoredTensor] = []
  /// How many layers an encoder has before a decoder's; `nil` for a single stack.
  let encoderLayers: Int?

  /// - Parameter family: one of those that the base model may be of, which call their modules alike
  init(_ config: JSONObject, _ tensors: [StoredTensor], of family: ModelFamily) throws {
    self.config = config
    encoderLayers = try Self.encoderLayers(config, tensors, of: family)
    var byName: [String: PEFTModule] = [:]
    for tensor in tensors {
      let name = Self.unwrapped(tensor.name)
      if Self.sharedNames.contains(name) {
        shared[name] = tensor.renamed(name)
      } else if let (module, parameter) = Self.split(name) {
        byName[
          module,
          default: PEFTModule(
            name: module, place: Self.place(module, family, encoderLayers), tensors: [:])
        ]
        .tensors[parameter] = tensor.renamed(parameter)
      } else {
        others.append(tensor.renamed(Self.saved(name)))
      }
    }
    modules = try byName.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      .flatMap { try Self.parts(of: $0, family) }
  }

  /// The layers of an encoder, where files speak of a decoder as well: all of them have weights.
  private static func encoderLayers(
    _ config: JSONObject, _ tensors: [StoredTensor], of family: ModelFamily
  ) throws -> Int? {
    guard let decoder = family.decoderLayers else { return nil }
    let names = tensors.map { family.unprefixed(unwrapped($0.name)) }
    let count = family.encoderLayers(naming: names) ?? 0
    guard count > 0 || !names.contains(where: { decoder.splitLayer($0) != nil }),
      [nil, .null, .array([])].contains(config.members["layers_to_transform"])
    else {
      throw Failure(
        .unsupportedForeignContent,
        "the files do not say how many layers the encoder has, so that the decoder's cannot be found",
        at: "target_modules")
    }
    return count
  }

  /// A module that holds several linear layers side by side, layer by layer: first factors are common to all of them.
  private static func parts(of module: PEFTModule, _ family: ModelFamily) throws -> [PEFTModule] {
    guard let joined = family.layers.joined,
      let (layer, path) = family.layers.splitLayer(family.unprefixed(module.name) + "."), path == joined.path + "."
    else { return [module] }
    let common: Set<String> = ["lora_A.weight"],
      split: Set<String> = [
        "lora_B.weight", "lora_B.bias", "lora_magnitude_vector", "lora_magnitude_vector.weight", "ia3_l",
      ]
    try module.checkOnly(common.union(split))
    return try joined.places.enumerated().map { index, place in
      let tensors = try module.tensors.filter { $0.key != "lora_A.weight" }.mapValues {
        try $0.part(index, of: joined.places.count, in: module.name)
      }
      return PEFTModule(
        name: module.name, place: (layer, place.rawValue),
        tensors: tensors.merging(module.tensors.filter { common.contains($0.key) }) { own, _ in own })
    }
  }

  private static let sharedNames: Set<String> = ["prompt_embeddings", "vera_A", "vera_B"]
  /// What the names of adapters' parameters begin with.
  private static let kinds = ["lora_", "ia3_l", "hada_", "lokr_", "oft_", "boft_", "vera_lambda_", "ranknum", "hra_"]

  /// What PEFT, `torch.compile` and parallel trainers put before a name of the model.
  static func unwrapped(_ stored: String) -> String {
    var name = stored
    while let prefix = ["_orig_mod.", "module.", "base_model.model.", "base_model."].first(where: name.hasPrefix) {
      name = String(name.dropFirst(prefix.count))
    }
    return name.replacing("._orig_mod.", with: ".")
  }

  /// A module, and the parameter in it without the adapter's name: `lora_A.default.weight` is `lora_A.weight`.
  private static func split(_ name: String) -> (module: String, parameter: String)? {
    let parts = name.dotted
    guard let index = parts.firstIndex(where: { part in kinds.contains { part.hasPrefix($0) } }), index > 0 else {
      return nil
    }
    var parameter = parts[index...].map(String.init)
    if parameter.count > 1, !["weight", "bias"].contains(parameter[1]) { parameter.remove(at: 1) }
    return (parts[..<index].joined(separator: "."), parameter.joined(separator: "."))
  }

  /// The name of a saved module without what wraps it: `classifier.modules_to_save.default.weight`.
  private static func saved(_ name: String) -> String {
    let parts = name.dotted
    guard let index = parts.firstIndex(of: "modules_to_save") else { return name }
    return (parts[..<index] + parts[(index + 1)...].dropFirst(parts.count - index > 2 ? 1 : 0)).joined(separator: ".")
  }

  private static func place(_ module: String, _ family: ModelFamily, _ encoderLayers: Int?) -> (Int, String)? {
    let stacks = [(family.layers, 0)] + (family.decoderLayers.map { [($0, encoderLayers ?? 0)] } ?? [])
    for (modules, first) in stacks {
      guard let (site, rest) = modules.split(family.unprefixed(module) + ".here"), rest == "here",
        site.layer < InputLimits.layers
      else { continue }
      return (first + site.layer, site.place.rawValue)
    }
    return nil
  }
}

extension StoredTensor {
  /// One of several equal parts of the rows.
  fileprivate func part(_ index: Int, of count: Int, in module: String) throws -> StoredTensor {
    guard let rows = shape.first, rows > 0, rows % count == 0 else {
      throw Failure(
        .unsupportedForeignContent, "the shape \(shape) is not that of \(count) layers", at: "\(module).\(name)")
    }
    let share = self.count / count
    return try StoredTensor(
      name: name, shape: [rows / count] + shape.dropFirst(),
      floats: Array(floats()[index * share..<(index + 1) * share]))
  }
}
