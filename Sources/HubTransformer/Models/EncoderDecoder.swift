import HubModels
public import HubTensor

/// An encoder, and a decoder that writes with the encoder's states before it.
///
/// Layers and sites are counted through both. What acts on the embeddings acts on the encoder's.
public protocol EncoderDecoder: BaseModel {
  /// The encoder's states of the texts that are read.
  func encoded(_ source: TokenBatch, with adapters: some Interventions, in context: Context) throws -> EncodedTexts

  /// The decoder's hidden states, `[rows, hidden]`, of tokens that follow those of earlier passes.
  ///
  /// - Parameters:
  ///   - target: those that are new, with ``TokenBatch/starts`` at the cache's lengths
  ///   - source: a text for each sequence of `target`
  ///   - cache: what was written before; these tokens are added to it
  func decoded(
    _ target: TokenBatch, over source: EncodedTexts, continuing cache: KeyValueCache?,
    with adapters: some Interventions, in context: Context
  ) throws -> Tensor

  /// What the decoder reads so that it learns to write `target`: all moved by one, after the token that it begins with.
  func decoderInput(for target: [Int]) -> [Int]
}

/// What a decoder reads of the texts that were encoded.
public struct EncodedTexts: Sendable {
  /// The encoder's states, `[rows, hidden]`.
  public let states: Rows
  /// Rows that no token sees, as padding is elsewhere.
  let unseen: Set<Int>

  init(_ states: Rows, unseen: Set<Int>) { (self.states, self.unseen) = (states, unseen) }

  /// Some of the texts, as often as each comes.
  public func keep(_ texts: [Int], in context: Context) -> EncodedTexts {
    precondition(unseen.isEmpty)
    return EncodedTexts(states.taking(texts, in: context), unseen: [])
  }
}

extension EncoderDecoder {
  /// What the decoder makes of a text that it has read itself, moved by one: what classifiers look at (Lewis et al.
  /// 2020).
  public func callAsFunction(
    _ tokens: TokenBatch, with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    let source = try encoded(tokens, with: adapters, in: context)
    let moved = TokenBatch(
      (0..<tokens.sequences.count).map { decoderInput(for: Array(tokens.ids[tokens.sequences[$0]])) })
    return try decoded(moved, over: source, continuing: nil, with: adapters, in: context)
  }

  public var summarizesAtEnd: Bool { true }

  public func pooled(
    _ hidden: Tensor, _ sequences: Sequences, adding update: ((Tensor) -> Tensor)?, in context: Context
  ) -> Tensor? { nil }
}

/// The decoder's layers: what acts on embeddings, and lengthens texts, has acted on the encoder's.
struct DecoderSide<Adapters: Interventions>: Interventions {
  let adapters: Adapters

  func projected(_ projection: Projection, at site: Site, in context: Context) -> Rows {
    adapters.projected(projection, at: site, in: context)
  }
  func prefix(_ x: Rows, at site: Site, in context: Context) -> AttentionPrefixes? {
    adapters.prefix(x, at: site, in: context)
  }
  func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Rows {
    adapters.sublayer(sublayer, at: site, in: context)
  }
  func layer(_ output: Rows, of input: Rows, at index: Int, in context: Context) -> Rows {
    adapters.layer(output, of: input, at: index, in: context)
  }
}
