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
    /// The same of a decoder's attention over the encoder's states.
    case crossQuery = "cross_query"
    case crossKey = "cross_key"
    case crossValue = "cross_value"
    case crossPrefix = "cross_prefix"
    case crossAttentionOutput = "cross_attention_output"
    case crossAttention = "cross_attention"
    /// The linear layer whose output multiplies that of ``intermediate``, where there is one.
    case gate
    /// The linear layers of the feed-forward block.
    case intermediate, output
    /// After the feed-forward block's second projection.
    case feedForward = "feed_forward"
    /// After the whole layer.
    case layer

    public static func < (left: Place, right: Place) -> Bool { left.order < right.order }

    /// Whether a whole sublayer ends here, rather than one of its linear layers.
    public var isSublayer: Bool { self == .attention || self == .crossAttention || self == .feedForward }

    /// Whether it belongs to a decoder's attention over the encoder's states.
    public var isCrossing: Bool {
      switch self {
      case .crossQuery, .crossKey, .crossValue, .crossPrefix, .crossAttentionOutput, .crossAttention: true
      default: false
      }
    }

    /// Whether it is one of the linear layers.
    public var isLinear: Bool {
      switch self {
      case .query, .key, .value, .attentionOutput, .crossQuery, .crossKey, .crossValue, .crossAttentionOutput, .gate,
        .intermediate, .output:
        true
      case .prefix, .attention, .crossPrefix, .crossAttention, .feedForward, .layer: false
      }
    }
  }

  /// Counted from 0; through the encoder, then through the decoder.
  public let layer: Int
  /// The place in that layer.
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
