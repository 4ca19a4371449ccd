import HubModels
import HubWords
public import HubTensor

/// Embeddings, post-norm layers and a pooler: what BERT and its relatives have in common.
public struct PostNormEncoder: Sendable {
  let configuration: EncoderConfiguration
  private let words, positions: Parameter
  private let types: Parameter?
  private let embeddingNorm: LayerNorm
  /// Where embeddings are narrower than the layers.
  private let projection: Linear?
  private let layers: [TransformerLayer]
  private let pooler: Linear?

  init(
    _ c: EncoderConfiguration, _ modules: LayerModules, from weights: ParameterSource, normalizesAgain: Bool = false
  ) throws {
    configuration = c
    let embeddings = weights["embeddings"]
    words = try embeddings["word_embeddings"].parameter("weight", [c.vocabularySize, c.embeddingSize])
    positions = try embeddings["position_embeddings"].parameter("weight", [c.maximumPositions, c.embeddingSize])
    types = try c.typeVocabularySize.map {
      try embeddings["token_type_embeddings"].parameter("weight", [$0, c.embeddingSize])
    }
    embeddingNorm = try LayerNorm(from: embeddings["LayerNorm"], c.embeddingSize, epsilon: c.layerNormEpsilon)
    projection =
      c.embeddingSize == c.hiddenSize
      ? nil : try Linear(from: weights["embeddings_project"], c.embeddingSize, c.hiddenSize)
    var form = c.layerForm
    form.normalizesAgain = normalizesAgain
    layers = try (0..<c.layers).map {
      try TransformerLayer(from: weights[modules.list][$0], modules, index: $0, form)
    }
    let dense = weights["pooler"]["dense"]
    pooler = dense.has("weight") ? try Linear(from: dense, c.hiddenSize, c.hiddenSize) : nil
  }

  var vocabularySize: Int { words.rows }

  var shape: ModelShape {
    ModelShape(
      hiddenSize: configuration.hiddenSize, embeddingSize: configuration.embeddingSize,
      intermediateSize: configuration.intermediateSize,
      layers: configuration.layers, layerNormEpsilon: configuration.layerNormEpsilon)
  }

  func callAsFunction(
    _ tokens: TokenBatch, positionIDs: [Int], typeIDs: [Int], with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    let virtual = adapters.virtualTokens(in: context), all = adapters.lengthened(tokens.sequences)
    let text = virtual?.embeddings == nil ? tokens.sequences : all
    let sum = try embeddings(tokens, positionIDs: positionIDs, typeIDs: typeIDs, after: virtual, in: context)
    let embedded = adapters.embedded(
      context.baseDropout(embeddingNorm(sum, in: context), rate: configuration.dropout), text, in: context)
    var x = Rows(projection.map { $0(embedded, in: context) } ?? embedded, of: all)
    let pass = LayerPass(unseen: tokens.unseen)
    for layer in layers { x = layer(x, pass, with: adapters, in: context) }
    return x.tensor
  }

  /// Words, positions and types. Virtual tokens take the first positions, and have the type 0.
  private func embeddings(
    _ tokens: TokenBatch, positionIDs: [Int], typeIDs: [Int], after virtual: VirtualTokens?, in context: Context
  ) throws -> Tensor {
    let moved = virtual.map { virtual in positionIDs.map { $0 + virtual.count } } ?? positionIDs
    try TokenBatch.check(tokens.ids, in: words.rows, "the token id", "the vocabulary")
    try TokenBatch.check(moved, in: positions.rows, "the position", "the position table")
    if let types { try TokenBatch.check(typeIDs, in: types.rows, "the token type", "the table of token types") }
    func tables(_ positionIDs: [Int], _ typeIDs: [Int]) -> [(table: Parameter, rows: [Int])] {
      [(positions, positionIDs)] + (types.map { [($0, typeIDs)] } ?? [])
    }
    guard let count = virtual?.count, let prompt = virtual?.embeddings else {
      return context.embeddings([(words, tokens.ids)] + tables(moved, typeIDs))
    }
    let sequences = (0..<tokens.sequences.count).map { tokens.sequences[$0] }
    let allPositions = sequences.flatMap { rows in (0..<count).map { positionIDs[rows.lowerBound] + $0 } + moved[rows] }
    let allTypes = sequences.flatMap { rows in Array(repeating: 0, count: count) + typeIDs[rows] }
    let allWords = context.inserting(
      prompt, into: context.embeddings([(words, tokens.ids)]), at: 0, of: tokens.sequences)
    return context.add(allWords, context.embeddings(tables(allPositions, allTypes)))
  }

  func pooled(
    _ hidden: Tensor, _ sequences: Sequences, adding update: ((Tensor) -> Tensor)?, in context: Context
  ) -> Tensor? {
    guard let pooler else { return nil }
    let x = context.rows(hidden, sequences.firstRows)
    guard let update else { return pooler(x, then: .tanh, in: context) }
    return context.activate(context.add(pooler(x, in: context), update(x)), .tanh)
  }

  var matrices: [Parameter] { (projection.map { [$0.weight] } ?? []) + layers.flatMap(\.linears).map(\.weight) }
}

extension Sequences {
  /// The row of the first token of each sequence.
  public var firstRows: [Int] { Array(offsets.dropLast()) }
}
