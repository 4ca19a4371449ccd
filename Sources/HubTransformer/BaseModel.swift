public import HubManifest
public import HubTensor

extension Failure.Code {
  /// `config.json` describes a model that Dovetail does not have, or an option of one.
  public static let unsupportedModel = Self("model/unsupported", .badData)
  /// A value in `config.json` makes no sense.
  public static let invalidModelConfiguration = Self("model/configuration", .badData)
  /// Token ids or lengths that the model has no embeddings for.
  public static let invalidTokens = Self("model/tokens", .badData)
}

/// The sizes of a base model that adapters and heads are built for.
public struct BaseShape: Hashable, Sendable {
  public let hiddenSize: Int
  /// The width of the embedding output, where invertible adapters act.
  public let embeddingSize: Int
  /// The width inside the feed-forward block.
  public let intermediateSize: Int
  public let layers: Int
  /// The ε of its layer norms.
  public let layerNormEpsilon: Float

  public init(hiddenSize: Int, embeddingSize: Int, intermediateSize: Int, layers: Int, layerNormEpsilon: Float = 1e-12)
  {
    self.layerNormEpsilon = layerNormEpsilon
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize
    self.intermediateSize = intermediateSize
    self.layers = layers
  }
}

/// A pre-trained transformer whose weights stay as they are.
public protocol BaseModel: Sendable {
  /// The values of `model_type` in `config.json` that mean this model.
  static var modelTypes: [String] { get }
  /// What checkpoints put before the names of the model's own tensors when it carries a head.
  static var prefix: String { get }

  /// The name of a linear layer's weight; `nil` where the site is none.
  static func weightName(at site: Site) -> String?

  /// - Parameters:
  ///   - configuration: the content of `config.json`
  ///   - weights: Hugging Face's names without ``prefix``
  /// - Throws: ``Failure``: a key out of range, an unsupported option, tensors that do not fit.
  init(configuration: JSONObject, weights: ParameterSource) throws

  var shape: BaseShape { get }

  /// The most tokens that a sequence may have.
  var maximumLength: Int { get }
  /// How many tokens the model knows.
  var vocabularySize: Int { get }

  /// The hidden states of the last layer, `[rows, hidden]`.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidTokens``.
  func callAsFunction(_ tokens: TokenBatch, with adapters: some Interventions, in context: Context) throws -> Tensor

  /// What the model's pooler makes of the first token of each sequence; `nil` without a pooler.
  ///
  /// - Parameter update: what is added to the pooler's output before its activation, from what it reads
  func pooled(
    _ hidden: Tensor, _ sequences: Sequences, adding update: ((Tensor) -> Tensor)?, in context: Context
  ) -> Tensor?

  /// The weights that products are taken with, which the kernels want in a layout of their own.
  var matrices: [Parameter] { get }
}

extension BaseModel {
  /// Brings the weights into the layout that the kernels want, so that the first pass is as fast as the next.
  public func prepare(in context: Context) {
    for matrix in matrices { matrix.prepare(in: context) }
  }
}

/// The base models that Dovetail knows: one file each under `Models/`, one line here.
public enum BaseModels {
  public static let all: [any BaseModel.Type] = [
    BERT.self,
    RoBERTa.self,
    DistilBERT.self,
    ELECTRA.self,
    XMOD.self,
  ]

  /// The model that a `config.json` describes.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedModel`` that names the type.
  public static func type(for configuration: JSONObject) throws -> any BaseModel.Type {
    guard let modelType = try configuration.optionalString("model_type") else {
      let architectures = configuration.members["architectures"]?.strings?.joined(separator: ", ")
      throw Failure(
        .unsupportedModel, "config.json does not say what the model is", at: "model_type",
        hint: "add \"model_type\": \"bert\", or what else it is"
          + (architectures.map { "; its architectures are \($0)" } ?? ""))
    }
    guard let type = all.first(where: { $0.modelTypes.contains(modelType) }) else {
      let known = all.flatMap { $0.modelTypes }.joined(separator: ", ")
      throw Failure(
        .unsupportedModel, "the model type \(modelType.debugDescription) is not supported", at: "model_type",
        hint: "supported: \(known)")
    }
    return type
  }

  /// The name that a checkpoint's tensor has within its model; `nil` if it belongs to a head or is a buffer.
  /// Old checkpoints call a layer norm's gain `gamma` and its bias `beta`.
  public static func name(ofTensor stored: String, in type: any BaseModel.Type, isPrefixed: Bool) -> String? {
    var name = stored
    if isPrefixed {
      guard name.hasPrefix(type.prefix + ".") else { return nil }
      name.removeFirst(type.prefix.count + 1)
    }
    let parts = ["embeddings.", "embeddings_project.", "encoder.", "transformer.", "pooler."]
    guard parts.contains(where: name.hasPrefix), name != "embeddings.position_ids", !name.contains(".adapter_modules.")
    else { return nil }
    for (old, new) in [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")]
    where name.hasSuffix(old) {
      name = String(name.dropLast(old.count)) + new
    }
    return name
  }
}
