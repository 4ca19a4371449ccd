public import HubWeights
public import HubWords

/// What a bundle says and holds, wherever it lies: the one shape in which formats, registry and engine hand adapters to
/// each other.
public struct AdapterContent: Sendable {
  /// What the adapter says about itself.
  public let manifest: Manifest
  /// The method's configuration.
  public let configuration: JSONObject
  /// By the names of the bundle format.
  public let weights: [StoredTensor]
  /// The head that came with it; `nil` if there is none.
  public let head: StoredModule?

  public init(manifest: Manifest, configuration: JSONObject, weights: [StoredTensor], head: StoredModule?) {
    self.manifest = manifest
    self.configuration = configuration
    self.weights = weights
    self.head = head
  }

  /// What a bundle holds.
  public init(_ bundle: Bundle) {
    self.init(
      manifest: bundle.manifest, configuration: bundle.config, weights: bundle.weights.tensors,
      head: bundle.head.map { StoredModule(configuration: $0.config.members, weights: $0.weights.tensors) })
  }
}
