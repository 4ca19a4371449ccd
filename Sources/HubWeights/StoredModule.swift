public import HubWords

/// An adapter, a fusion or a head as files keep it: its configuration and its tensors, in the words of the bundle
/// format.
public struct StoredModule: Sendable {
  /// AdapterHub's keys.
  public var configuration: JSON.Members
  /// By the names of the bundle format.
  public var weights: [StoredTensor]

  public init(configuration: JSON.Members, weights: [StoredTensor]) {
    self.configuration = configuration
    self.weights = weights
  }
}
