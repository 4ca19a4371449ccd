public import HubModels
public import HubWords
public import HubTensor

extension Failure.Code {
  /// `config.json` describes a model that Dovetail does not have, or an option of one.
  public static let unsupportedModel = Self("model/unsupported", .badData)
  /// A value in `config.json` makes no sense.
  public static let invalidModelConfiguration = Self("model/configuration", .badData)
  /// Token ids or lengths that the model has no embeddings for.
  public static let invalidTokens = Self("model/tokens", .badData)
}

/// A pre-trained transformer whose weights stay as they are.
public protocol BaseModel: Sendable {
  /// The families that it computes.
  static var families: [ModelFamily] { get }

  /// - Parameters:
  ///   - family: one of ``families``
  ///   - configuration: the content of `config.json`
  ///   - weights: Hugging Face's names without ``ModelFamily/prefix``
  /// - Throws: ``Failure``: a key out of range, an unsupported option, tensors that do not fit.
  init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws

  /// The sizes that adapters and heads are built for.
  var shape: ModelShape { get }

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

  /// Whether the last token of a sequence stands for all of it, rather than the first.
  var summarizesAtEnd: Bool { get }

  /// What heads that name words or find spans multiply the hidden states by.
  var outputScale: Float { get }
}

extension BaseModel {
  /// Whether it is a decoder or has one, and so writes texts.
  public var writes: Bool { self is any Decoder || self is any EncoderDecoder }
}

extension BaseModel {
  public var summarizesAtEnd: Bool { false }
  public var outputScale: Float { 1 }

  /// Brings the weights into the layout that the kernels want, so that the first pass is as fast as the next.
  public func prepare(in context: Context) {
    for matrix in matrices { matrix.prepare(in: context) }
  }
}

/// The base models that Dovetail knows: one file each under `Models/`, one line here.
public enum BaseModels {
  /// The models, each of which computes one or more families.
  public static let all: [any BaseModel.Type] = [
    BERT.self,
    RoBERTa.self,
    DistilBERT.self,
    ELECTRA.self,
    XMOD.self,
    DeBERTa.self,
    GPT2.self,
    LLaMA.self,
    T5.self,
    BART.self,
  ]

  /// The model that a `config.json` describes.
  ///
  /// - Parameter weights: Hugging Face's names without ``ModelFamily/prefix``
  /// - Throws: ``Failure``: an unknown model type, a key out of range, an unsupported option, tensors that do not fit.
  public static func model(_ configuration: JSONObject, from weights: ParameterSource) throws -> any BaseModel {
    let (family, model) = try type(for: configuration)
    return try model.init(family, configuration: configuration, weights: weights)
  }

  /// The family that a `config.json` describes.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedModel`` that names the type.
  public static func family(of configuration: JSONObject) throws -> ModelFamily { try type(for: configuration).family }

  private static func type(
    for configuration: JSONObject
  ) throws -> (family: ModelFamily, model: any BaseModel.Type) {
    guard let modelType = try configuration.optionalString("model_type") else {
      let architectures = configuration.members["architectures"]?.strings?.joined(separator: ", ")
      throw Failure(
        .unsupportedModel, "config.json does not say what the model is", at: "model_type",
        hint: "add a line such as \"model_type\": \"bert\""
          + (architectures.map { "; its architectures are \($0)" } ?? ""))
    }
    for model in all {
      if let family = model.families.first(where: { $0.modelType == modelType }) {
        return (family.specialized(for: configuration), model)
      }
    }
    let known = all.flatMap { $0.families }.map(\.modelType).joined(separator: ", ")
    throw Failure(
      .unsupportedModel, "the model type \(modelType.debugDescription) is not supported", at: "model_type",
      hint: "supported: \(known)")
  }
}
