public import HubTensor

/// A place in a base model where adapters may act.
public struct Site: Hashable, Sendable, Comparable {
  /// In the order in which a layer reaches them.
  public enum Place: String, Hashable, Sendable, CaseIterable, Comparable {
    /// The linear layers of the self-attention.
    case query, key, value
    /// Between the keys and values and the attention itself.
    case prefix
    case attentionOutput = "attention_output"
    /// After the self-attention's output projection.
    case attention
    /// The linear layers of the feed-forward block.
    case intermediate, output
    /// After the feed-forward block's second projection.
    case feedForward = "feed_forward"
    /// Behind the whole layer.
    case layer

    public static func < (left: Place, right: Place) -> Bool { left.order < right.order }

    /// Whether a whole sublayer ends here, rather than one of its linear layers.
    public var isSublayer: Bool { self == .attention || self == .feedForward }

    /// Whether it is one of the linear layers.
    public var isLinear: Bool {
      switch self {
      case .query, .key, .value, .attentionOutput, .intermediate, .output: true
      case .prefix, .attention, .feedForward, .layer: false
      }
    }
  }

  /// Counted from 0; through the encoder, then through the decoder.
  public let layer: Int
  public let place: Place

  public init(_ layer: Int, _ place: Place) {
    self.layer = layer
    self.place = place
  }

  public static func < (left: Site, right: Site) -> Bool {
    (left.layer, left.place.order) < (right.layer, right.place.order)
  }
}

extension Site.Place {
  fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A linear layer that is about to be applied.
public struct Projection {
  public let linear: Linear
  /// `[rows, in]`
  public let input: Tensor
  public let activation: Activation
  /// Those of the rows.
  public let sequences: Sequences

  public init(_ linear: Linear, of input: Tensor, then activation: Activation = .identity, _ sequences: Sequences) {
    self.linear = linear
    self.input = input
    self.activation = activation
    self.sequences = sequences
  }

  /// What the layer gives by itself, `[rows, out]`.
  public func applied(in context: Context) -> Tensor { linear(input, then: activation, in: context) }
}

/// A sublayer that has computed its output and not yet joined the residual stream.
public struct Sublayer {
  /// What came out of the last projection, `[rows, hidden]`.
  public let output: Tensor
  /// What went into the sublayer, `[rows, hidden]`.
  public let residual: Tensor
  /// What went into the layer that the sublayer belongs to, `[rows, hidden]`.
  public let layerInput: Tensor
  /// The layer norm that follows in post-norm models.
  public let norm: LayerNorm?

  public init(output: Tensor, residual: Tensor, layerInput: Tensor, norm: LayerNorm?) {
    self.output = output
    self.residual = residual
    self.layerInput = layerInput
    self.norm = norm
  }

  /// `norm(x + residual)`, or the bare sum in pre-norm models.
  public func joined(_ x: Tensor, in context: Context) -> Tensor {
    norm.map { $0(x, plus: residual, in: context) } ?? context.add(x, residual)
  }
}

/// Tokens that stand before those of each sequence without being text: the text's positions move up by their number.
public struct VirtualTokens {
  public let count: Int
  /// Their word embeddings, `[count, embedding]`, where they have rows of their own; `nil` where they only take up
  /// positions.
  public let embeddings: Tensor?

  public init(count: Int, embeddings: Tensor? = nil) {
    self.count = count
    self.embeddings = embeddings
  }
}

/// What a base model calls at its sites; it knows nothing else of adapters. Each call has a default that leaves the
/// model as it is.
public protocol Interventions {
  /// The sequences that the layers see: longer than the text's where adapters put rows of their own before it.
  func lengthened(_ sequences: Sequences) -> Sequences
  /// Tokens before the text, or `nil`.
  func virtualTokens(in context: Context) -> VirtualTokens?
  /// Token rows after the embedding layer, `[rows, embedding]`; of the sequences of the text, or with virtual tokens of
  /// the lengthened ones. Returns those of the lengthened ones.
  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor
  /// A linear layer: returns its output, activation included. The rows may be several copies, as in ``sublayer(_:at:in:)``.
  func projected(_ projection: Projection, at site: Site, in context: Context) -> Tensor
  /// Keys and values that stand before those of each sequence, for one or more copies of the sequences; `nil` for none.
  ///
  /// - Parameter x: the input of the attention
  func prefix(_ x: Tensor, _ sequences: Sequences, at site: Site, in context: Context) -> AttentionPrefixes?
  /// The end of a sublayer: returns what the next one reads. It may be several copies of the rows, one behind the
  /// other; then the rest of the model runs on all of them.
  func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Tensor
  /// The end of a whole layer: returns what the next one reads.
  ///
  /// - Parameter input: what went into the layer, with as many rows as `output`
  func layer(_ output: Tensor, of input: Tensor, at index: Int, in context: Context) -> Tensor
}

extension Interventions {
  public func lengthened(_ sequences: Sequences) -> Sequences { sequences }
  public func virtualTokens(in context: Context) -> VirtualTokens? { nil }
  public func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor { x }
  public func projected(_ projection: Projection, at site: Site, in context: Context) -> Tensor {
    projection.applied(in: context)
  }
  public func prefix(_ x: Tensor, _ sequences: Sequences, at site: Site, in context: Context) -> AttentionPrefixes? {
    nil
  }
  public func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Tensor {
    sublayer.joined(sublayer.output, in: context)
  }
  public func layer(_ output: Tensor, of input: Tensor, at index: Int, in context: Context) -> Tensor { output }
}

/// The base model alone.
public struct NoInterventions: Interventions {
  public init() {}
}

extension Sequences {
  /// So many copies of all sequences that they have `count` rows.
  public func repeated(toRows count: Int) -> Sequences { rows == count || rows == 0 ? self : repeated(count / rows) }
}
