import HubModels
public import HubTensor
import HubWords

/// A model that writes: each token sees itself and those before it.
public protocol Decoder: BaseModel {
  /// The hidden states of the last layer, `[rows, hidden]`, of tokens that follow those of earlier passes.
  ///
  /// - Parameters:
  ///   - tokens: those that are new, with ``TokenBatch/starts`` at the cache's lengths
  ///   - cache: what was read before; these tokens are added to it
  func callAsFunction(
    _ tokens: TokenBatch, continuing cache: KeyValueCache?, with adapters: some Interventions, in context: Context
  ) throws -> Tensor
}

extension Decoder {
  public var summarizesAtEnd: Bool { true }

  public func callAsFunction(
    _ tokens: TokenBatch, with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    try self(tokens, continuing: nil, with: adapters, in: context)
  }

  public func pooled(
    _ hidden: Tensor, _ sequences: Sequences, adding update: ((Tensor) -> Tensor)?, in context: Context
  ) -> Tensor? { nil }
}

/// Layers that normalise first and a norm at the end: what decoders have in common besides their embeddings.
struct PreNormStack: Sendable {
  private let layers: [TransformerLayer]
  private let norm: any Norm

  /// - Parameters:
  ///   - norm: where that of the end is
  ///   - form: of the layer with this index
  init(
    from weights: ParameterSource, _ modules: LayerModules, count: Int, norm: String, first: Int = 0,
    _ form: (Int) -> TransformerLayer.Form
  ) throws {
    layers = try (0..<count).map {
      try TransformerLayer(from: weights[modules.list][$0], modules, index: first + $0, form($0))
    }
    self.norm = try form(0).norm(from: weights[norm])
  }

  /// - Parameter states: those of the encoder, for a decoder that reads them
  func callAsFunction(
    _ x: Rows, over states: Rows? = nil, _ pass: LayerPass, with adapters: some Interventions, in context: Context
  ) -> Rows {
    let last = layers.reduce(x) { $1($0, over: states, pass, with: adapters, in: context) }
    return last.with(norm(last.tensor, in: context))
  }

  var linears: [Linear] { layers.flatMap(\.linears) }
}

extension BaseModel {
  /// - Throws: ``Failure``: virtual tokens before the text, which only encoders have here.
  static func refuseVirtualTokens(_ adapters: some Interventions, in context: Context) throws {
    guard adapters.virtualTokens(in: context) == nil else {
      throw Failure(
        .unsupportedModel, "this model takes no virtual tokens before the text",
        hint: "prompts and prefixes that shift positions are for encoders")
    }
  }
}
