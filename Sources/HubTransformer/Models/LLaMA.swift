public import HubModels
public import HubTensor
public import HubWords

/// LLaMA (Touvron et al. 2023), Mistral (Jiang et al. 2023) and Qwen2 (Yang et al. 2024): rotary positions, grouped
/// queries, gated feed-forward blocks, RMS norms before the sublayers and one at the end.
public struct LLaMA: Decoder {
  public static let families: [ModelFamily] = [.llama, .mistral, .qwen2]

  private let words: Parameter
  private let stack: PreNormStack
  private let rotary: RotaryPositions
  private let heads: AttentionForm
  public let shape: ModelShape
  public let maximumLength: Int

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    let sizes = ConfiguredSizes(configuration, of: family), c = sizes.configuration
    let hidden = try sizes.hiddenSize(), layers = try sizes.layers()
    let heads = try sizes.size(family.keys.heads, upTo: 1024)
    let keyHeads = try sizes.size("num_key_value_heads", upTo: heads, or: heads)
    let width = try sizes.size("head_dim", upTo: 65_536, or: max(1, hidden / heads))
    guard heads % keyHeads == 0, width % 2 == 0 else {
      throw Failure(
        .invalidModelConfiguration, "\(heads) heads of \(width) columns cannot share \(keyHeads) heads of keys",
        at: "num_key_value_heads")
    }
    maximumLength = try sizes.positions()
    words = try weights["embed_tokens"].parameter(
      "weight", [try sizes.vocabularySize(), hidden], initially: .normal(deviation: 0.02))
    rotary = try RotaryPositions(c, width: width, maximumLength: maximumLength)
    shape = ModelShape(
      hiddenSize: hidden, embeddingSize: hidden,
      intermediateSize: try sizes.size(family.keys.intermediateSize, upTo: 1 << 20), layers: layers,
      queryWidth: heads * width, keyWidth: keyHeads * width, hasGate: true)
    self.heads = AttentionForm(heads: heads, keyHeads: keyHeads, isCausal: true)
    var form = TransformerLayer.Form(
      hiddenSize: hidden, intermediateSize: shape.intermediateSize, attention: self.heads,
      activation: try sizes.activation(family.keys.activation), epsilon: try sizes.epsilon())
    form.headWidth = width
    form.normalizesFirst = true
    form.usesRMSNorm = true
    form.withoutBias = try Self.withoutBias(family, c)
    let window = try Self.window(family, c)
    stack = try PreNormStack(from: weights, family.layers, count: layers, norm: "norm") { [form] index in
      var form = form
      form.attention.window = window(index)
      return form
    }
  }

  private static func withoutBias(_ family: ModelFamily, _ c: JSONObject) throws -> Set<Site.Place> {
    let inner: Set<Site.Place> = try c.optionalBool("mlp_bias") ?? false ? [] : [.gate, .intermediate, .output]
    if family.modelType == ModelFamily.qwen2.modelType { return inner.union([.attentionOutput]) }
    return try c.optionalBool("attention_bias") ?? false
      ? inner : inner.union([.query, .key, .value, .attentionOutput])
  }

  /// Qwen2's lower layers see everything, and all of them unless it says otherwise.
  private static func window(_ family: ModelFamily, _ c: JSONObject) throws -> (Int) -> Int? {
    guard family.modelType != ModelFamily.llama.modelType, let window = try c.optionalInteger("sliding_window"),
      try c.optionalBool("use_sliding_window") ?? true
    else { return { _ in nil } }
    guard window > 0 else {
      throw Failure(
        .invalidModelConfiguration, "a sliding window of \(window) tokens is impossible",
        at: c.path(to: "sliding_window"))
    }
    let first = try c.optionalInteger("max_window_layers") ?? 0
    return { $0 >= first ? window : nil }
  }

  public var vocabularySize: Int { words.rows }
  public var matrices: [Parameter] { stack.linears.map(\.weight) }

  public func callAsFunction(
    _ tokens: TokenBatch, continuing cache: KeyValueCache?, with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    try Self.refuseVirtualTokens(adapters, in: context)
    try TokenBatch.check(tokens.ids, in: words.rows, "the token id", "the vocabulary")
    try TokenBatch.check(tokens.positions, in: maximumLength, "the position", "the longest text")
    let embedded = context.embeddings([(words, tokens.ids)])
    let x = Rows(adapters.embedded(embedded, tokens.sequences, in: context), of: tokens.sequences)
    let pass = LayerPass(
      unseen: tokens.unseen, rotation: rotary.rotation(tokens.positions, in: context), cache: cache)
    defer { cache?.advance(by: tokens.sequences) }
    return stack(x, pass, with: adapters, in: context).tensor
  }
}
