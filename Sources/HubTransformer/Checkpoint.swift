import Foundation
public import HubModels
public import HubWords
public import HubTensor
public import HubWeights

extension Failure.Code {
  /// A folder is not a checkpoint: `config.json` is not there.
  public static let missingCheckpoint = Self("model/not-found", .notFound)
}

/// A pre-trained model as Hugging Face keeps it: `config.json` and ``HubWeights/ModelWeights``; or a GGUF file alone in
/// its folder.
public struct Checkpoint: Sendable {
  /// Where its files lie.
  public let folder: String
  /// The content of `config.json`, as it is.
  public let configuration: JSONObject
  /// The family that its `model_type` names.
  public let family: ModelFamily
  /// The model's own tensors by the names that the model asks for.
  public let weights: StoredWeights
  /// Tensors of the file that belong to a head.
  public let headTensors: [StoredTensor]

  /// - Throws: ``Failure``: files missing or malformed, a model that is not supported.
  public init(folder: String) throws {
    self.folder = folder
    if let name = GGUFFile.name(in: folder) {
      let model = try GGUFModel("\(folder)/\(name)")
      configuration = model.configuration
      family = try BaseModels.family(of: configuration)
      (weights, headTensors) = Self.sorted(model.tensors, family)
      return
    }
    let configPath = folder + "/config.json"
    guard let bytes = try? MappedFile(configPath).withBytes({ Array($0.prefix(InputLimits.jsonBytes + 1)) }) else {
      throw Failure(
        .missingCheckpoint, "there is no config.json in the folder", at: folder,
        hint: "give the folder of a Hugging Face checkpoint")
    }
    let written = try locating(configPath) {
      try Placeholder.check(bytes)
      return try JSONObject(JSON(parsing: bytes, limits: JSON.Limits(roundsIntegers: true)))
    }
    family = try locating(configPath) { try BaseModels.family(of: written) }
    let tensors = try locating(folder) {
      try CompressedTensors.expanded(ModelWeights.open(in: folder).tensors, written)
    }
    // What the tensors were expanded from is no longer true of them.
    var members = written.members
    members["quantization_config"] = nil
    configuration = JSONObject(members, path: written.path)
    (weights, headTensors) = Self.sorted(tensors, family)
  }

  /// The tensors of the model, and those of a head.
  private static func sorted(_ all: [StoredTensor], _ family: ModelFamily) -> (StoredWeights, [StoredTensor]) {
    let prefix = "\(family.prefix).\(family.parts[0])."
    let isPrefixed = all.contains { $0.name.hasPrefix(prefix) }
    var tensors: [String: StoredTensor] = [:], others: [StoredTensor] = []
    for tensor in all {
      if let name = family.name(ofTensor: tensor.name, isPrefixed: isPrefixed) {
        tensors[name] = tensor.renamed(name)
      } else {
        others.append(tensor)
      }
    }
    return (StoredWeights(tensors), others)
  }

  /// - Throws: ``Failure``: a key out of range, tensors that do not fit.
  public func load(engine: Engine) throws -> any BaseModel {
    try locating(folder) {
      try weights.load(engine: engine, model)
    }
  }

  /// The model that the configuration describes.
  ///
  /// - Parameter weights: by the names that the model asks for
  /// - Throws: ``Failure``: a key out of range, tensors that do not fit.
  public func model(from weights: ParameterSource) throws -> any BaseModel {
    try BaseModels.model(configuration, from: weights)
  }

  /// The sizes that adapters depend on, without loading anything.
  public func shape() throws -> ModelShape { try outline().shape }

  /// The model with shapes and no values.
  public func outline() throws -> any BaseModel {
    try model(from: ParameterSource(SchemaParameters { weights.tensors[$0] != nil }))
  }

  /// Names the model by what it computes: the digest of each tensor of the embeddings and layers, and of the keys of
  /// `config.json` that change the result. Where the tensors lie, in which file and in which order, and whether a
  /// pooler or a head is with them, makes no difference.
  public func fingerprint() -> Digest {
    var hasher = Digest.Hasher()
    hasher.update("dovetail base 1\n")
    for key in family.fingerprintKeys {
      hasher.update("\(key) \((configuration.members[key] ?? .null).text())\n")
    }
    for key in family.optionalFingerprintKeys {
      if let value = configuration.members[key] { hasher.update("\(key) \(value.text())\n") }
    }
    let own = weights.tensors.filter { !$0.key.hasPrefix("pooler.") }.sorted { $0.key < $1.key }
    for (name, tensor) in own {
      let digest = tensor.withBytes { bytes in
        var content = Digest.Hasher()
        content.update(bytes)
        return content.finish()
      }
      hasher.update("\(name) \(tensor.type.rawValue) \(tensor.shape) \(digest.hex)\n")
    }
    return hasher.finish()
  }
}
