import HubWeights
public import HubModels
public import HubTransformer
import HubWords

/// What the file of an adapter says about the base model that it was made for. Files of other libraries do not say how many
/// layers the base had: then it is as many as have weights or are left out.
public struct ImpliedSizes: Hashable, Sendable {
  /// The base has at least so many layers.
  public var layers: Int
  /// The width of the embedding output, where what acts on it tells it.
  public var embeddingSize: Int?
  /// The width of the feed-forward block, where what acts on its inner side tells it.
  public var intermediateSize: Int?

  /// - Parameters:
  ///   - weights: by the names of the bundle format
  ///   - named: layers that the configuration names, counted from 0
  public init(_ weights: StoredWeights, named: [Int] = []) {
    let last = (weights.tensors.keys.compactMap { Site(tensor: $0)?.layer } + named).max() ?? -1
    layers = min(last, InputLimits.layers) + 1
  }

  /// The sizes that both tell.
  func joined(with other: ImpliedSizes) -> ImpliedSizes {
    var joined = self
    joined.layers = max(layers, other.layers)
    joined.embeddingSize = embeddingSize ?? other.embeddingSize
    joined.intermediateSize = intermediateSize ?? other.intermediateSize
    return joined
  }

  /// The same with what low-rank matrices and scalings of the feed-forward block's linear layers tell.
  func readingLinearLayers(_ weights: StoredWeights, hiddenSize: Int) -> ImpliedSizes {
    var sizes = self
    sizes.intermediateSize =
      weights.ordered.lazy.compactMap { tensor -> Int? in
        switch (Site(tensor: tensor.name)?.place, tensor.name.dotted.last) {
        case (.intermediate?, "lora_b"): tensor.shape.first
        case (.output?, "lora_a"): tensor.shape.last
        // A scaling of the layer's input.
        case (.output?, "lora_b") where tensor.shape.last == 1 && tensor.shape != [hiddenSize, 1]: tensor.shape.first
        default: nil
        }
      }.first ?? intermediateSize
    return sizes
  }
}

extension Site {
  /// The site in the name of a tensor such as `layers.3.feed_forward.down.weight`; `nil` for other names.
  public init?(tensor name: String) {
    let parts = name.split(separator: ".", maxSplits: 3)
    guard parts.count == 4, parts[0] == "layers", let layer = Int(parts[1]), (0..<InputLimits.layers).contains(layer),
      let place = Place(rawValue: String(parts[2]))
    else { return nil }
    self.init(layer, place)
  }
}
