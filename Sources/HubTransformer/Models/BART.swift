import Foundation
public import HubModels
public import HubTensor
public import HubWords

/// BART (Lewis et al. 2020), mBART (Liu et al. 2020) and Marian's translators (Junczys-Dowmunt et al. 2018).
///
/// BART and Marian normalise after each sublayer, mBART before it and once more at the end. Positions are learned, and
/// count from 2; Marian's are those of the first transformer.
public struct BART: EncoderDecoder {
  public static let families: [ModelFamily] = [.bart, .mbart, .marian]

  private let words: Parameter
  private let encoder, decoder: Side
  private let scale: Float
  private let start: Start
  public let shape: ModelShape
  public let maximumLength: Int

  /// What the decoder reads before the first token that it is to write.
  private enum Start: Sendable {
    case token(Int)
    /// mBART: the last token of the target, its language.
    case lastOfTarget
  }

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    let sizes = ConfiguredSizes(configuration, of: family), c = sizes.configuration
    try sizes.refuse("share_encoder_decoder_embeddings", unless: true, "a vocabulary of the decoder's own")
    let hidden = try sizes.hiddenSize(), layers = try sizes.layers(), normalizesFirst = family.modelType == "mbart"
    let decoderLayers = try sizes.size("decoder_layers", upTo: 256)
    let inner = try sizes.size(family.keys.intermediateSize, upTo: 1 << 20)
    guard try sizes.size("decoder_ffn_dim", upTo: 1 << 20) == inner else {
      throw Failure(
        .unsupportedModel, "encoder and decoder must have feed-forward blocks of the same width",
        at: "decoder_ffn_dim")
    }
    shape = ModelShape(
      hiddenSize: hidden, embeddingSize: hidden, intermediateSize: inner, layers: layers + decoderLayers,
      encoderLayers: layers)
    maximumLength = try sizes.positions()
    scale = try c.optionalBool("scale_embedding") ?? false ? Float(hidden).squareRoot() : 1
    words = try weights["shared"].parameter(
      "weight", [try sizes.vocabularySize(), hidden], initially: .normal(deviation: 0.02))
    start =
      try normalizesFirst ? .lastOfTarget : .token(c.integer("decoder_start_token_id"))
    var form = TransformerLayer.Form(
      hiddenSize: hidden, intermediateSize: inner,
      attention: AttentionForm(heads: try sizes.heads(family.keys.heads, dividing: hidden)),
      activation: try sizes.activation(family.keys.activation), epsilon: 1e-5)
    form.normalizesFirst = normalizesFirst
    let isSinusoidal = family.modelType == "marian"
    encoder = try Side(
      from: weights, "encoder", family.layers, count: layers, first: 0, form, maximumLength,
      isSinusoidal: isSinusoidal)
    form.attention = AttentionForm(
      heads: try sizes.heads("decoder_attention_heads", dividing: hidden), isCausal: true)
    decoder = try Side(
      from: weights, "decoder", family.decoderLayers ?? family.layers, count: decoderLayers, first: layers, form,
      maximumLength, isSinusoidal: isSinusoidal)
  }

  public var vocabularySize: Int { words.rows }
  public var matrices: [Parameter] { (encoder.linears + decoder.linears).map(\.weight) }

  public func encoded(
    _ source: TokenBatch, with adapters: some Interventions, in context: Context
  ) throws -> EncodedTexts {
    try Self.refuseVirtualTokens(adapters, in: context)
    let embedded = try encoder.embedded(embeddings(source, in: context), source.positions, in: context)
    let x = Rows(adapters.embedded(embedded, source.sequences, in: context), of: source.sequences)
    return EncodedTexts(
      encoder(x, LayerPass(unseen: source.unseen), with: adapters, in: context), unseen: source.unseen)
  }

  public func decoded(
    _ target: TokenBatch, over source: EncodedTexts, continuing cache: KeyValueCache?,
    with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    let x = Rows(
      try decoder.embedded(embeddings(target, in: context), target.positions, in: context), of: target.sequences)
    let pass = LayerPass(unseen: target.unseen, unseenStates: source.unseen, cache: cache)
    defer { cache?.advance(by: target.sequences) }
    return decoder(x, over: source.states, pass, with: DecoderSide(adapters: adapters), in: context).tensor
  }

  private func embeddings(_ tokens: TokenBatch, in context: Context) throws -> Tensor {
    try TokenBatch.check(tokens.ids, in: words.rows, "the token id", "the vocabulary")
    try TokenBatch.check(tokens.positions, in: maximumLength, "the position", "the position table")
    let x = context.embeddings([(words, tokens.ids)])
    return scale == 1 ? x : context.scaled(x, by: scale)
  }

  public func decoderInput(for target: [Int]) -> [Int] {
    switch start {
    case .token(let id): [id] + target.dropLast()
    case .lastOfTarget: target.suffix(1) + target.dropLast()
    }
  }
}

/// The encoder or the decoder.
private struct Side: Sendable {
  private let positions: Parameter?
  private let embeddingNorm, finalNorm: (any Norm)?
  private let layers: [TransformerLayer]
  /// Positions count from 2.
  private static let offset = 2

  init(
    from weights: ParameterSource, _ name: String, _ modules: LayerModules, count: Int, first: Int,
    _ form: TransformerLayer.Form, _ maximumLength: Int, isSinusoidal: Bool
  ) throws {
    let own = weights[name]
    positions =
      isSinusoidal
      ? nil
      : try own["embed_positions"].parameter(
        "weight", [maximumLength + Self.offset, form.hiddenSize], initially: .normal(deviation: 0.02))
    embeddingNorm = isSinusoidal ? nil : try form.norm(from: own["layernorm_embedding"])
    finalNorm = form.normalizesFirst ? try form.norm(from: own["layer_norm"]) : nil
    layers = try (0..<count).map {
      try TransformerLayer(from: weights[modules.list][$0], modules, index: first + $0, form)
    }
  }

  func embedded(_ words: Tensor, _ positions: [Int], in context: Context) throws -> Tensor {
    let places =
      self.positions.map { context.embeddings([($0, positions.map { $0 + Self.offset })]) }
      ?? sinusoids(positions, width: words.columns, in: context)
    let sum = context.add(words, places)
    return embeddingNorm.map { $0(sum, in: context) } ?? sum
  }

  /// Sines in the first half of the columns, cosines in the second (Vaswani et al. 2017, as Marian has it).
  private func sinusoids(_ positions: [Int], width: Int, in context: Context) -> Tensor {
    let half = (width + 1) / 2
    let values = positions.flatMap { position in
      (0..<width).map { column -> Float in
        let index = column < half ? column : column - half
        let angle = Double(position) / pow(10_000, 2 * Double(index) / Double(width))
        return Float(column < half ? sin(angle) : cos(angle))
      }
    }
    return context.tensor(rows: positions.count, columns: width, values)
  }

  func callAsFunction(
    _ x: Rows, over states: Rows? = nil, _ pass: LayerPass, with adapters: some Interventions, in context: Context
  ) -> Rows {
    let last = layers.reduce(x) { $1($0, over: states, pass, with: adapters, in: context) }
    return finalNorm.map { last.with($0(last.tensor, in: context)) } ?? last
  }

  var linears: [Linear] { layers.flatMap(\.linears) }
}
