public import HubModels
public import HubTensor
public import HubWords

/// T5, T5 1.1, Flan-T5 (Raffel et al. 2020) and mT5 (Xue et al. 2021): RMS norms before the sublayers, scores that are
/// not scaled, relative positions, and no biases.
public struct T5: EncoderDecoder {
  public static let families: [ModelFamily] = [.t5, .mt5]

  private let words: Parameter
  private let encoder, decoder: PreNormStack
  private let encoderBias, decoderBias: RelativeBias
  private let startID: Int
  public let shape: ModelShape
  public let outputScale: Float

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    let sizes = ConfiguredSizes(configuration, of: family), c = sizes.configuration
    let hidden = try sizes.hiddenSize(), layers = try sizes.layers(), modules = family.decoderLayers ?? family.layers
    let decoderLayers = try sizes.size("num_decoder_layers", upTo: 256, or: layers)
    let heads = try sizes.size(family.keys.heads, upTo: 1024), width = try sizes.size("d_kv", upTo: 65_536)
    let isGated = family.layers.linear[.gate] != nil
    shape = ModelShape(
      hiddenSize: hidden, embeddingSize: hidden,
      intermediateSize: try sizes.size(family.keys.intermediateSize, upTo: 1 << 20), layers: layers + decoderLayers,
      queryWidth: heads * width, encoderLayers: layers, hasGate: isGated)
    startID = try c.integer("decoder_start_token_id")
    outputScale = try c.optionalBool("tie_word_embeddings") ?? true ? 1 / Float(hidden).squareRoot() : 1
    words = try weights["shared"].parameter(
      "weight", [try sizes.vocabularySize(), hidden], initially: .normal(deviation: 1))
    var form = TransformerLayer.Form(
      hiddenSize: hidden, intermediateSize: shape.intermediateSize, attention: AttentionForm(heads: heads, scale: 1),
      activation: try Self.activation(c), epsilon: try sizes.epsilon())
    form.headWidth = width
    form.normalizesFirst = true
    form.usesRMSNorm = true
    form.withoutBias = Set(Site.Place.allCases)
    encoder = try PreNormStack(from: weights, family.layers, count: layers, norm: "encoder.final_layer_norm") {
      [form] _ in form
    }
    form.attention.isCausal = true
    decoder = try PreNormStack(
      from: weights, modules, count: decoderLayers, norm: "decoder.final_layer_norm", first: layers
    ) { [form] _ in form }
    let buckets = try sizes.size("relative_attention_num_buckets", upTo: 4096)
    let distance = try sizes.size("relative_attention_max_distance", upTo: 1 << 20)
    func bias(_ list: String, isCausal: Bool) throws -> RelativeBias {
      let table = try weights[list][0]["layer"][0]["SelfAttention"]["relative_attention_bias"].parameter(
        "weight", [buckets, heads], initially: .normal(deviation: 0.02))
      return RelativeBias(table: table, maximumDistance: distance, isCausal: isCausal)
    }
    encoderBias = try bias(family.layers.list, isCausal: false)
    decoderBias = try bias(modules.list, isCausal: true)
  }

  /// The older files say what it is, the newer ones whether a gate multiplies it.
  private static func activation(_ c: JSONObject) throws -> Activation {
    let name = try c.string("feed_forward_proj"), known = ["gated-gelu": "gelu_new", "gated-silu": "silu"]
    guard let activation = Activation(named: known[name] ?? name) else {
      throw Failure(
        .unsupportedModel, "the feed-forward block \(name.debugDescription) is not supported", at: "feed_forward_proj")
    }
    return activation
  }

  /// As long as memory allows: distances beyond the last bucket count as that.
  public var maximumLength: Int { 1 << 20 }
  public var vocabularySize: Int { words.rows }
  public var matrices: [Parameter] { (encoder.linears + decoder.linears).map(\.weight) }

  public func encoded(
    _ source: TokenBatch, with adapters: some Interventions, in context: Context
  ) throws -> EncodedTexts {
    try Self.refuseVirtualTokens(adapters, in: context)
    try TokenBatch.check(source.ids, in: words.rows, "the token id", "the vocabulary")
    let embedded = adapters.embedded(context.embeddings([(words, source.ids)]), source.sequences, in: context)
    let x = Rows(embedded, of: source.sequences)
    let states = encoder(
      x, encoderBias.pass(LayerPass(unseen: source.unseen), in: context), with: adapters, in: context)
    return EncodedTexts(states, unseen: source.unseen)
  }

  public func decoded(
    _ target: TokenBatch, over source: EncodedTexts, continuing cache: KeyValueCache?,
    with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    try TokenBatch.check(target.ids, in: words.rows, "the token id", "the vocabulary")
    let x = Rows(context.embeddings([(words, target.ids)]), of: target.sequences)
    let pass = LayerPass(unseen: target.unseen, unseenStates: source.unseen, cache: cache)
    defer { cache?.advance(by: target.sequences) }
    return decoder(
      x, over: source.states, decoderBias.pass(pass, in: context), with: DecoderSide(adapters: adapters), in: context
    ).tensor
  }

  public func decoderInput(for target: [Int]) -> [Int] { [startID] + target.dropLast() }
}
