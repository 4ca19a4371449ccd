import HubManifest
public import HubTensor

/// Embeddings, post-norm layers and a pooler: what BERT and RoBERTa have in common.
struct PostNormEncoder: Sendable {
  let configuration: EncoderConfiguration
  private let words, positions, types: Parameter
  private let embeddingNorm: LayerNorm
  private let layers: [PostNormLayer]
  private let pooler: Linear?

  init(_ c: EncoderConfiguration, from weights: ParameterSource) throws {
    configuration = c
    let embeddings = weights["embeddings"]
    words = try embeddings["word_embeddings"].parameter("weight", [c.vocabularySize, c.hiddenSize])
    positions = try embeddings["position_embeddings"].parameter("weight", [c.maximumPositions, c.hiddenSize])
    types = try embeddings["token_type_embeddings"].parameter("weight", [c.typeVocabularySize, c.hiddenSize])
    embeddingNorm = try LayerNorm(from: embeddings["LayerNorm"], c.hiddenSize, epsilon: c.layerNormEpsilon)
    layers = try (0..<c.layers).map { try PostNormLayer(from: weights["encoder"]["layer"][$0], c, index: $0) }
    let dense = weights["pooler"]["dense"]
    pooler = dense.has("weight") ? try Linear(from: dense, c.hiddenSize, c.hiddenSize) : nil
  }

  var shape: BaseShape {
    BaseShape(
      hiddenSize: configuration.hiddenSize, embeddingSize: configuration.hiddenSize, intermediateSize: configuration.intermediateSize,
      layers: configuration.layers, layerNormEpsilon: configuration.layerNormEpsilon)
  }

  func callAsFunction(
    _ tokens: TokenBatch, positionIDs: [Int], typeIDs: [Int], with adapters: some Interventions, in cx: Context
  ) throws -> Tensor {
    try check(tokens.ids, words.rows, "the token id", "the vocabulary")
    try check(positionIDs, positions.rows, "the position", "the position table")
    try check(typeIDs, types.rows, "the token type", "the table of token types")
    var x = embeddingNorm(cx.embeddings([(words, tokens.ids), (positions, positionIDs), (types, typeIDs)]), in: cx)
    x = adapters.embedded(x, in: cx)
    // Adapters may have multiplied the rows.
    for layer in layers { x = layer(x, tokens.sequences.repeated(toRows: x.rows), with: adapters, in: cx) }
    return x
  }

  private func check(_ rows: [Int], _ count: Int, _ what: String, _ table: String) throws {
    guard let wrong = rows.first(where: { !(0..<count).contains($0) }) else { return }
    throw Failure(.invalidTokens, "\(what) \(wrong) is not in \(table) of \(count)", hint: "is the text too long, or the tokenizer another model's?")
  }

  func pooled(_ hidden: Tensor, _ sequences: Sequences, in cx: Context) -> Tensor? {
    pooler.map { $0(cx.rows(hidden, sequences.firstRows), then: .tanh, in: cx) }
  }

  var matrices: [Parameter] { layers.flatMap(\.linears).map(\.weight) }
}

extension Sequences {
  /// The row of the first token of each sequence.
  public var firstRows: [Int] { Array(offsets.dropLast()) }
}
