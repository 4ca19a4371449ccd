public import HubBundle
import HubWords
public import HubRegistry

/// Adapters and base models on this machine: the way into Dovetail.
///
/// ```swift
/// let hub = try Hub()
/// try hub.install(from: "sst2.zip")
/// for adapter in try hub.list() { print(adapter.reference) }
/// ```
public final class Hub: Sendable {
  /// Where the adapters are, and all that can be done with them there.
  public let registry: Registry

  /// - Parameters:
  ///   - path: the folder of the registry; the user's own, or `HUB_REGISTRY`, if `nil`
  ///   - isShared: whether to take one that others may write to
  /// - Throws: ``Failure`` if the registry cannot be trusted. One that is not there yet is empty.
  public init(registry path: String? = nil, isShared: Bool = false) throws {
    registry = Registry(path, isShared: isShared, checking: BundleCheck.check)
    try registry.checkOwnership()
  }

  /// Installs a bundle or an adapter in a foreign format, in a folder or in an archive.
  @discardableResult
  public func install(from path: String, as name: AdapterName? = nil) throws -> Installation {
    try registry.install(from: path, as: name)
  }

  /// The installed adapters that pass a filter.
  public func list(_ filter: AdapterFilter = AdapterFilter()) throws -> [InstalledAdapter] {
    try registry.list(filter)
  }

  /// The installed adapter that a reference such as `ner`, `ner@1.2.0` or `ner@sha256:...` means.
  public func adapter(_ reference: String) throws -> InstalledAdapter {
    try registry.resolve(AdapterReference(reference))
  }

  /// Removes an adapter.
  @discardableResult
  public func remove(_ reference: String) throws -> InstalledAdapter {
    try registry.remove(AdapterReference(reference))
  }
}
