public import HubModels
public import HubTensor

/// A layer of a transformer: attention within each sequence, in a decoder also attention over an encoder's states, and
/// a feed-forward block. Each is a sublayer that joins the residual stream, with its norm after it (Vaswani et al.
/// 2017), or before what the sublayer reads.
public struct TransformerLayer: Sendable {
  private let index: Int
  private let form: Form
  let attention: AttentionLayer
  private let crossAttention: AttentionLayer?
  private let norms: [Site.Place: any Norm]
  private let gate: Linear?
  private let intermediate, output: Linear

  /// What tells one kind of layer from another.
  public struct Form: Sendable {
    /// The width of the rows.
    public var hiddenSize: Int
    /// The width inside the feed-forward block.
    public var intermediateSize: Int
    /// What kind of attention it is.
    public var attention: AttentionForm
    /// The width of one head; the hidden size divided among them if `nil`.
    public var headWidth: Int?
    /// The function inside the feed-forward block; of the gate, where there is one.
    public var activation: Activation
    /// Whether a sublayer reads normalised rows, and the stream itself is left as it is.
    public var normalizesFirst = false
    /// Whether the last norm is applied once more, as in X-MOD.
    public var normalizesAgain = false
    /// Whether norms are RMS norms.
    public var usesRMSNorm = false
    /// The ε of its norms.
    public var epsilon: Float
    /// The rates at which training drops what sublayers give.
    public var dropout: [Site.Place: Float] = [:]
    /// The linear layers that have no bias.
    public var withoutBias: Set<Site.Place> = []

    public init(
      hiddenSize: Int, intermediateSize: Int, attention: AttentionForm, activation: Activation, epsilon: Float
    ) {
      self.hiddenSize = hiddenSize
      self.intermediateSize = intermediateSize
      self.attention = attention
      self.activation = activation
      self.epsilon = epsilon
    }

    /// The widths of a linear layer.
    func widths(at place: Site.Place) -> (input: Int, output: Int) {
      let width = headWidth ?? hiddenSize / attention.heads
      return ModelShape(
        hiddenSize: hiddenSize, embeddingSize: hiddenSize, intermediateSize: intermediateSize, layers: 1,
        queryWidth: width * attention.heads, keyWidth: width * attention.keyHeads
      ).widths(at: place)
    }

    /// A norm as the layer has them.
    func norm(from weights: ParameterSource) throws -> any Norm {
      usesRMSNorm
        ? try RMSNorm(from: weights, hiddenSize, epsilon: epsilon)
        : try LayerNorm(from: weights, hiddenSize, epsilon: epsilon)
    }
  }

  /// - Parameters:
  ///   - weights: those of this layer
  ///   - modules: what they are called; which of them there are says whether there is a gate, and an attention over an
  ///     encoder's states
  ///   - index: counted through encoder and decoder
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights``.
  public init(from weights: ParameterSource, _ modules: LayerModules = .bert, index: Int, _ form: Form) throws {
    let joined = try modules.joined.map { try JoinedLinears(from: weights[$0.path], $0, form) }
    func linear(_ place: Site.Place) throws -> Linear {
      if let part = joined?.parts[place] { return part }
      let (input, output) = form.widths(at: place), source = weights[modules.linear[place] ?? place.rawValue]
      return modules.joined != nil
        ? try Linear(transposed: source, input, output)
        : try Linear(from: source, input, output, bias: !form.withoutBias.contains(place))
    }
    self.index = index
    self.form = form
    attention = try AttentionLayer(index, .own, form.attention, linear)
    crossAttention =
      try modules.linear[.crossQuery].map { _ in
        var crossing = form.attention
        crossing.isCausal = false
        crossing.window = nil
        return try AttentionLayer(index, .crossing, crossing, linear)
      }
    gate = try modules.linear[.gate].map { _ in try linear(.gate) }
    intermediate = try linear(.intermediate)
    output = try linear(.output)
    norms = try modules.norms.reduce(into: [:]) { $0[$1.key] = try form.norm(from: weights[$1.value]) }
  }

  /// - Parameter states: those of the encoder, for a decoder that reads them
  func callAsFunction(
    _ x: Rows, over states: Rows? = nil, _ pass: LayerPass, with adapters: some Interventions, in context: Context
  ) -> Rows {
    var h = sublayer(.attention, x, of: x, adapters, context) { attention($0, pass, with: adapters, in: context) }
    if let crossAttention, let states {
      h = sublayer(.crossAttention, h, of: x, adapters, context) {
        crossAttention($0, over: states, pass, with: adapters, in: context)
      }
    }
    h = sublayer(.feedForward, h, of: x, adapters, context) { feedForward($0, adapters, context) }
    if form.normalizesAgain, let norm = norms[.feedForward] { h = h.with(norm(h.tensor, in: context)) }
    return adapters.layer(h, of: x, at: index, in: context)
  }

  /// The layer by itself.
  ///
  /// - Parameter x: of the width of the layer
  public func callAsFunction(_ x: Rows, with adapters: some Interventions, in context: Context) -> Rows {
    self(x, LayerPass(), with: adapters, in: context)
  }

  private func sublayer(
    _ place: Site.Place, _ x: Rows, of layerInput: Rows, _ adapters: some Interventions, _ context: Context,
    _ body: (Rows) -> Rows
  ) -> Rows {
    let norm = norms[place]
    let input = form.normalizesFirst ? norm.map { x.with($0(x.tensor, in: context)) } ?? x : x
    let output = body(input), dropped = output.with(context.baseDropout(output.tensor, rate: form.dropout[place] ?? 0))
    return adapters.sublayer(
      Sublayer(
        output: dropped, residual: x, layerInput: layerInput, norm: form.normalizesFirst ? nil : norm, in: context),
      at: Site(index, place), in: context)
  }

  private func feedForward(_ x: Rows, _ adapters: some Interventions, _ context: Context) -> Rows {
    func projected(_ linear: Linear, _ place: Site.Place, _ x: Rows, _ activation: Activation = .identity) -> Rows {
      adapters.projected(Projection(linear, of: x, then: activation), at: Site(index, place), in: context)
    }
    guard let gate else {
      return projected(output, .output, projected(intermediate, .intermediate, x, form.activation))
    }
    let open = projected(gate, .gate, x, form.activation), inner = projected(intermediate, .intermediate, x)
    let copies = max(open.copies, inner.copies)
    let product = context.multiply(
      open.repeated(to: copies, in: context).tensor, inner.repeated(to: copies, in: context).tensor)
    return projected(output, .output, inner.with(product))
  }

  var linears: [Linear] {
    attention.linears + (crossAttention?.linears ?? []) + (gate.map { [$0] } ?? []) + [intermediate, output]
  }
  /// All weights of the layer.
  public var parameters: [Parameter] {
    linears.flatMap(\.parameters) + norms.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }
}
