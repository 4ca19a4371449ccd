/// The sizes of a base model that adapters and heads are built for.
public struct ModelShape: Hashable, Sendable {
  /// The width of the hidden states.
  public let hiddenSize: Int
  /// The width of the embedding output, where invertible adapters act.
  public let embeddingSize: Int
  /// The width inside the feed-forward block.
  public let intermediateSize: Int
  /// The number of layers; of an encoder and a decoder together.
  public let layers: Int
  /// The ε of a layer norm that a head brings.
  public let layerNormEpsilon: Float
  /// The width of an attention's queries, and of what it gives.
  public let queryWidth: Int
  /// The width of an attention's keys and values.
  public let keyWidth: Int
  /// How many of the layers are an encoder's whose states a decoder reads; `nil` for a single stack of layers.
  public let encoderLayers: Int?
  /// Whether a second linear layer's output multiplies that of the first inside the feed-forward block.
  public let hasGate: Bool

  /// - Parameters:
  ///   - queryWidth: the hidden size if `nil`
  ///   - keyWidth: the width of the queries if `nil`
  public init(
    hiddenSize: Int, embeddingSize: Int, intermediateSize: Int, layers: Int, layerNormEpsilon: Float = 1e-12,
    queryWidth: Int? = nil, keyWidth: Int? = nil, encoderLayers: Int? = nil, hasGate: Bool = false
  ) {
    self.layerNormEpsilon = layerNormEpsilon
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize
    self.intermediateSize = intermediateSize
    self.layers = layers
    self.queryWidth = queryWidth ?? hiddenSize
    self.keyWidth = keyWidth ?? self.queryWidth
    self.encoderLayers = encoderLayers
    self.hasGate = hasGate
  }

  /// Whether the layer reads an encoder's states.
  public func crosses(_ layer: Int) -> Bool { encoderLayers.map { layer >= $0 } ?? false }

  /// Whether there is such a place in the model.
  public func has(_ site: Site) -> Bool {
    guard (0..<layers).contains(site.layer) else { return false }
    if site.place.isCrossing { return crosses(site.layer) }
    return site.place != .gate || hasGate
  }

  /// The input and output widths of a linear layer.
  public func widths(at place: Site.Place) -> (input: Int, output: Int) {
    switch place {
    case .query, .crossQuery: (hiddenSize, queryWidth)
    case .key, .value, .crossKey, .crossValue: (hiddenSize, keyWidth)
    case .attentionOutput, .crossAttentionOutput: (queryWidth, hiddenSize)
    case .gate, .intermediate: (hiddenSize, intermediateSize)
    case .output: (intermediateSize, hiddenSize)
    case .prefix, .crossPrefix, .attention, .crossAttention, .feedForward, .layer: (hiddenSize, hiddenSize)
    }
  }
}
