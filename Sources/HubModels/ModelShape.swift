/// The sizes of a base model that adapters and heads are built for.
public struct ModelShape: Hashable, Sendable {
  /// The width of the hidden states.
  public let hiddenSize: Int
  /// The width of the embedding output, where invertible adapters act.
  public let embeddingSize: Int
  /// The width inside the feed-forward block.
  public let intermediateSize: Int
  /// The number of layers.
  public let layers: Int
  /// The ε of its layer norms.
  public let layerNormEpsilon: Float

  public init(hiddenSize: Int, embeddingSize: Int, intermediateSize: Int, layers: Int, layerNormEpsilon: Float = 1e-12)
  {
    self.layerNormEpsilon = layerNormEpsilon
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize
    self.intermediateSize = intermediateSize
    self.layers = layers
  }
}
