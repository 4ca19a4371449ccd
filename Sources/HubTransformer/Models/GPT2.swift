public import HubModels
public import HubTensor
public import HubWords

/// GPT-2 (Radford et al. 2019): learned positions, layer norms before the sublayers and one at the end.
public struct GPT2: Decoder {
  public static let families: [ModelFamily] = [.gpt2]

  private let words, positions: Parameter
  private let stack: PreNormStack
  public let shape: ModelShape

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    let sizes = ConfiguredSizes(configuration, of: family), c = sizes.configuration
    let hidden = try sizes.hiddenSize(), layers = try sizes.layers()
    let heads = try sizes.heads(family.keys.heads, dividing: hidden)
    try sizes.refuse("add_cross_attention", unless: false, "attention over an encoder's states in GPT-2")
    shape = ModelShape(
      hiddenSize: hidden, embeddingSize: hidden,
      intermediateSize: try sizes.size(family.keys.intermediateSize, upTo: 1 << 20, or: 4 * hidden), layers: layers)
    words = try weights["wte"].parameter(
      "weight", [try sizes.vocabularySize(), hidden], initially: .normal(deviation: 0.02))
    positions = try weights["wpe"].parameter(
      "weight", [try sizes.positions(), hidden], initially: .normal(deviation: 0.01))
    let root = Float(hidden / heads).squareRoot(), scales = try c.optionalBool("scale_attn_weights") ?? true
    let scalesByLayer = try c.optionalBool("scale_attn_by_inverse_layer_idx") ?? false
    var form = TransformerLayer.Form(
      hiddenSize: hidden, intermediateSize: shape.intermediateSize,
      attention: AttentionForm(heads: heads, isCausal: true), activation: try sizes.activation(family.keys.activation),
      epsilon: try sizes.epsilon())
    form.normalizesFirst = true
    stack = try PreNormStack(from: weights, family.layers, count: layers, norm: "ln_f") { [form] index in
      var form = form
      form.attention.scale = (scales ? 1 / root : 1) / (scalesByLayer ? Float(index + 1) : 1)
      return form
    }
  }

  public var maximumLength: Int { positions.rows }
  public var vocabularySize: Int { words.rows }
  public var matrices: [Parameter] { stack.linears.map(\.weight) }

  public func callAsFunction(
    _ tokens: TokenBatch, continuing cache: KeyValueCache?, with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    try Self.refuseVirtualTokens(adapters, in: context)
    try TokenBatch.check(tokens.ids, in: words.rows, "the token id", "the vocabulary")
    try TokenBatch.check(tokens.positions, in: positions.rows, "the position", "the position table")
    let embedded = context.embeddings([(words, tokens.ids), (positions, tokens.positions)])
    let x = Rows(adapters.embedded(embedded, tokens.sequences, in: context), of: tokens.sequences)
    let pass = LayerPass(unseen: tokens.unseen, cache: cache)
    defer { cache?.advance(by: tokens.sequences) }
    return stack(x, pass, with: adapters, in: context).tensor
  }
}
