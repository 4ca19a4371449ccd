import Foundation
public import HubModels
public import HubTensor
public import HubWords

/// DeBERTa v2 and v3 (He et al. 2021, 2023): besides contents, what stands where and how far apart decides about a
/// score: `q·k + q·p(i − j) + k·p'(i − j)`, all divided by `√(3d)`, where `p` and `p'` are projected embeddings of
/// distances.
public struct DeBERTa: BaseModel {
  public static let families: [ModelFamily] = [.debertaV2]

  private let words: Parameter
  private let positions, types: Parameter?
  private let embeddingNorm: LayerNorm
  private let projection: Linear?
  private let layers: [TransformerLayer]
  private let distances: DistanceEmbeddings?
  public let shape: ModelShape
  public let maximumLength: Int
  public let vocabularySize: Int

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    let sizes = ConfiguredSizes(configuration, of: family), c = sizes.configuration
    try sizes.refuse("conv_kernel_size", unless: 0, "a convolution after the first layer")
    let hidden = try sizes.hiddenSize(), count = try sizes.layers()
    let width = try sizes.size("embedding_size", upTo: 65_536, or: hidden)
    let heads = try sizes.heads(family.keys.heads, dividing: hidden), epsilon = try sizes.epsilon()
    maximumLength = try sizes.positions()
    vocabularySize = try sizes.vocabularySize()
    shape = ModelShape(
      hiddenSize: hidden, embeddingSize: hidden,
      intermediateSize: try sizes.size(family.keys.intermediateSize, upTo: 1 << 20), layers: count,
      layerNormEpsilon: epsilon)
    let embeddings = weights["embeddings"]
    func table(_ name: String, _ rows: Int) throws -> Parameter {
      try embeddings[name].parameter("weight", [rows, width], initially: .normal(deviation: 0.02))
    }
    words = try table("word_embeddings", vocabularySize)
    positions =
      try c.optionalBool("position_biased_input") ?? true ? try table("position_embeddings", maximumLength) : nil
    let typeCount = try c.optionalInteger("type_vocab_size") ?? 0
    types = typeCount > 0 ? try table("token_type_embeddings", try sizes.size("type_vocab_size", upTo: 1024)) : nil
    projection =
      width == hidden ? nil : try Linear(from: embeddings["embed_proj"], width, hidden, bias: false)
    embeddingNorm = try LayerNorm(from: embeddings["LayerNorm"], hidden, epsilon: epsilon)
    distances =
      try c.optionalBool("relative_attention") ?? false
      ? try DistanceEmbeddings(
        c, hidden: hidden, heads: heads, epsilon: epsilon, maximumLength: maximumLength, layers: count,
        from: weights["encoder"]) : nil
    let scores = 1 + (distances?.kinds.count ?? 0)
    let form = TransformerLayer.Form(
      hiddenSize: hidden, intermediateSize: shape.intermediateSize,
      attention: AttentionForm(heads: heads, scale: 1 / Float(hidden / heads * scores).squareRoot()),
      activation: try sizes.activation(family.keys.activation), epsilon: epsilon)
    layers = try (0..<count).map {
      try TransformerLayer(from: weights[family.layers.list][$0], family.layers, index: $0, form)
    }
  }

  public var matrices: [Parameter] { (projection.map { [$0.weight] } ?? []) + layers.flatMap(\.linears).map(\.weight) }

  public func callAsFunction(
    _ tokens: TokenBatch, with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    try Self.refuseVirtualTokens(adapters, in: context)
    try TokenBatch.check(tokens.ids, in: words.rows, "the token id", "the vocabulary")
    try TokenBatch.check(tokens.positions, in: maximumLength, "the position", "the longest text")
    if let types { try TokenBatch.check(tokens.typeIDs, in: types.rows, "the token type", "the table of token types") }
    try distances?.refuseRouting(adapters, layers.count)
    let sum = context.embeddings(
      [(words, tokens.ids)] + (positions.map { [($0, tokens.positions)] } ?? [])
        + (types.map { [($0, tokens.typeIDs)] } ?? []))
    let embedded = embeddingNorm(projection.map { $0(sum, in: context) } ?? sum, in: context)
    var x = Rows(adapters.embedded(embedded, tokens.sequences, in: context), of: adapters.lengthened(tokens.sequences))
    for (index, layer) in layers.enumerated() {
      let pass = LayerPass(
        unseen: tokens.unseen, bias: distances?.bias(of: layer, index, with: adapters, in: context))
      x = layer(x, pass, with: adapters, in: context)
    }
    return x.tensor
  }

  public func pooled(
    _ hidden: Tensor, _ sequences: Sequences, adding update: ((Tensor) -> Tensor)?, in context: Context
  ) -> Tensor? { nil }
}
