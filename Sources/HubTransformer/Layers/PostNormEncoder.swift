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
    let virtual = adapters.virtualTokens(in: cx), all = adapters.lengthened(tokens.sequences)
    let text = virtual?.embeddings == nil ? tokens.sequences : all
    let sum = try embeddings(tokens, positionIDs: positionIDs, typeIDs: typeIDs, behind: virtual, in: cx)
    var x = adapters.embedded(embeddingNorm(sum, in: cx), text, in: cx)
    // Adapters may have multiplied the rows.
    for layer in layers { x = layer(x, all.repeated(toRows: x.rows), with: adapters, in: cx) }
    return x
  }

  /// Words, positions and types. Virtual tokens take the first positions, and have the type 0.
  private func embeddings(
    _ tokens: TokenBatch, positionIDs: [Int], typeIDs: [Int], behind virtual: VirtualTokens?, in cx: Context
  ) throws -> Tensor {
    let moved = virtual.map { virtual in positionIDs.map { $0 + virtual.count } } ?? positionIDs
    try check(tokens.ids, words.rows, "the token id", "the vocabulary")
    try check(moved, positions.rows, "the position", "the position table")
    try check(typeIDs, types.rows, "the token type", "the table of token types")
    guard let count = virtual?.count, let prompt = virtual?.embeddings else {
      return cx.embeddings([(words, tokens.ids), (positions, moved), (types, typeIDs)])
    }
    let sequences = (0..<tokens.sequences.count).map { tokens.sequences[$0] }
    let allPositions = sequences.flatMap { rows in (0..<count).map { positionIDs[rows.lowerBound] + $0 } + moved[rows] }
    let allTypes = sequences.flatMap { rows in Array(repeating: 0, count: count) + typeIDs[rows] }
    let allWords = cx.inserting(prompt, into: cx.embeddings([(words, tokens.ids)]), at: 0, of: tokens.sequences)
    return cx.add(allWords, cx.embeddings([(positions, allPositions), (types, allTypes)]))
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
