import HubWeights
public import HubModels
public import HubTransformer
import HubWords

/// What the file of an adapter says about the base model that it was made for. Files of other libraries do not say how
/// many layers the base had: then it is as many as have weights or are left out.
public struct ImpliedSizes: Hashable, Sendable {
  /// The base has at least this many layers.
  public var layers: Int
  /// The width of the embedding output, where what acts on it tells it.
  public var embeddingSize: Int?
  /// The width of the feed-forward block, where what acts on its inner side tells it.
  public var intermediateSize: Int?
  /// The width of an attention's queries, and of its keys, where what acts on them tells it.
  public var queryWidth, keyWidth: Int?
  /// The layers before a decoder that reads an encoder's states; the most that what acts in it leaves.
  public var encoderLayers: Int?
  /// Whether something acts on the gate of the feed-forward block.
  public var hasGate: Bool

  /// - Parameters:
  ///   - weights: by the names of the bundle format
  ///   - named: layers that the configuration names, counted from 0
  public init(_ weights: StoredWeights, named: [Int] = []) {
    let sites = weights.tensors.keys.compactMap { Site(tensor: $0) }
    let last = (sites.map(\.layer) + named).max() ?? -1
    encoderLayers = sites.filter { $0.place.isCrossing }.map(\.layer).min()
    hasGate = sites.contains { $0.place == .gate }
    layers = min(last, InputLimits.layers) + 1
  }

  /// The sizes that both tell.
  func joined(with other: ImpliedSizes) -> ImpliedSizes {
    var joined = self
    joined.layers = max(layers, other.layers)
    joined.embeddingSize = embeddingSize ?? other.embeddingSize
    joined.intermediateSize = intermediateSize ?? other.intermediateSize
    joined.queryWidth = queryWidth ?? other.queryWidth
    joined.keyWidth = keyWidth ?? other.keyWidth
    joined.encoderLayers = encoderLayers ?? other.encoderLayers
    joined.hasGate = hasGate || other.hasGate
    return joined
  }

  /// The same with what low-rank matrices and scalings of the feed-forward block's linear layers tell.
  func readingLinearLayers(_ weights: StoredWeights, hiddenSize: Int) -> ImpliedSizes {
    var sizes = self
    sizes.intermediateSize =
      weights.ordered.lazy.compactMap { tensor -> Int? in
        switch (Site(tensor: tensor.name)?.place, tensor.name.dotted.last) {
        case (.intermediate?, "lora_b"), (.gate?, "lora_b"): tensor.shape.first
        case (.output?, "lora_a"): tensor.shape.last
        // A scaling of the layer's input.
        case (.output?, "lora_b") where tensor.shape.last == 1 && tensor.shape != [hiddenSize, 1]: tensor.shape.first
        default: nil
        }
      }.first ?? intermediateSize
    /// What the second factors of a place give.
    func width(_ places: Set<Site.Place>) -> Int? {
      weights.ordered.lazy.compactMap { tensor in
        guard let site = Site(tensor: tensor.name), places.contains(site.place), tensor.name.dotted.last == "lora_b"
        else { return nil }
        return tensor.shape.first
      }.first
    }
    sizes.queryWidth = width([.query, .crossQuery])
    sizes.keyWidth = width([.key, .value, .crossKey, .crossValue])
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
