import HubWords
import HubModels
import HubTensor

/// What BERT and its relatives read from `config.json`.
struct EncoderConfiguration: Sendable {
  let vocabularySize: Int
  let hiddenSize: Int
  let embeddingSize: Int
  let layers: Int
  let heads: Int
  let intermediateSize: Int
  let maximumPositions: Int
  /// `nil` for a model without token types.
  let typeVocabularySize: Int?
  let paddingID: Int
  let layerNormEpsilon: Float
  let activation: Activation

  init(_ configuration: JSONObject, of family: ModelFamily) throws {
    let c = family.completed(configuration), keys = family.keys
    func size(_ key: String, upTo limit: Int, or absent: Int? = nil) throws -> Int {
      let value = try absent.map { try c.optionalInteger(key) ?? $0 } ?? c.integer(key)
      guard (1...limit).contains(value) else {
        throw Failure.outside(1...limit, value, .invalidModelConfiguration, at: c.path(to: key))
      }
      return value
    }
    vocabularySize = try size("vocab_size", upTo: 1 << 24)
    hiddenSize = try size(keys.hiddenSize, upTo: 65_536)
    embeddingSize = try size("embedding_size", upTo: 65_536, or: hiddenSize)
    layers = try size(keys.layers, upTo: 256)
    heads = try size(keys.heads, upTo: 1024)
    intermediateSize = try size(keys.intermediateSize, upTo: 1 << 20)
    maximumPositions = try size("max_position_embeddings", upTo: 1 << 20)
    typeVocabularySize = try keys.tokenTypes.map { try size($0, upTo: 1024) }
    guard hiddenSize % heads == 0 else {
      throw Failure(
        .invalidModelConfiguration, "\(heads) heads do not divide a hidden size of \(hiddenSize)", at: keys.heads)
    }
    paddingID = try c.integer("pad_token_id")
    guard (0..<maximumPositions).contains(paddingID) else {
      throw Failure(
        .invalidModelConfiguration, "the padding id \(paddingID) has no place in the position table", at: "pad_token_id"
      )
    }
    layerNormEpsilon = Float(try c.number("layer_norm_eps"))
    let activationName = try c.string(keys.activation)
    guard let activation = Activation(named: activationName) else {
      throw Failure(
        .unsupportedModel, "the activation \(activationName.debugDescription) is not supported", at: keys.activation)
    }
    self.activation = activation
    let positions = try c.optionalString("position_embedding_type") ?? "absolute"
    guard positions == "absolute", try c.optionalBool("is_decoder") != true else {
      throw Failure(
        .unsupportedModel, "relative positions and decoders are not supported for this model type",
        at: "position_embedding_type")
    }
  }
}
