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
  /// The rate at which training drops what embeddings and sublayers give.
  let dropout: Float
  /// The same for what attentions give.
  let attentionDropout: Float

  init(_ configuration: JSONObject, of family: ModelFamily) throws {
    let sizes = ConfiguredSizes(configuration, of: family), c = sizes.configuration, keys = family.keys
    vocabularySize = try sizes.vocabularySize()
    hiddenSize = try sizes.hiddenSize()
    embeddingSize = try sizes.size("embedding_size", upTo: 65_536, or: hiddenSize)
    layers = try sizes.layers()
    heads = try sizes.heads(keys.heads, dividing: hiddenSize)
    intermediateSize = try sizes.size(keys.intermediateSize, upTo: 1 << 20)
    maximumPositions = try sizes.positions()
    typeVocabularySize = try keys.tokenTypes.map { try sizes.size($0, upTo: 1024) }
    paddingID = try c.integer("pad_token_id")
    guard (0..<maximumPositions).contains(paddingID) else {
      throw Failure(
        .invalidModelConfiguration, "the padding id \(paddingID) has no place in the position table", at: "pad_token_id"
      )
    }
    layerNormEpsilon = try sizes.epsilon()
    activation = try sizes.activation(keys.activation)
    dropout = Float(try c.optionalNumber(keys.dropout) ?? 0.1)
    guard (0..<1).contains(dropout) else {
      throw Failure(
        .invalidModelConfiguration, "a rate must be at least 0 and below 1, not \(dropout)",
        at: c.path(to: keys.dropout))
    }
    attentionDropout = keys.dropsAttention ? dropout : 0
    let positions = try c.optionalString("position_embedding_type") ?? "absolute"
    guard positions == "absolute", try c.optionalBool("is_decoder") != true else {
      throw Failure(
        .unsupportedModel, "relative positions and decoders are not supported for this model type",
        at: "position_embedding_type")
    }
  }

  /// That of a layer.
  var layerForm: TransformerLayer.Form {
    var form = TransformerLayer.Form(
      hiddenSize: hiddenSize, intermediateSize: intermediateSize, attention: AttentionForm(heads: heads),
      activation: activation, epsilon: layerNormEpsilon)
    form.dropout = [.attention: attentionDropout, .feedForward: dropout]
    return form
  }
}
