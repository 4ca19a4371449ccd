public import Foundation
public import HubBundle
public import HubWords
public import HubWeights

/// An adapter in the registry.
public struct InstalledAdapter: Sendable {
  /// The name it is installed under; the manifest has the one that its author gave it.
  public let name: AdapterName
  /// The digest of its manifest, which names the digests of everything else.
  public let digest: Digest
  /// What the bundle says about itself.
  public let manifest: Manifest
  /// Bytes of all its files.
  public let size: Int
  /// Numbers in the adapter's weights, its head not counted.
  public let parameterCount: Int
  /// When it was installed.
  public let installedAt: Date
  let store: BlobStore

  /// The version that its manifest names.
  public var version: SemanticVersion { manifest.version }
  /// A reference to exactly this version.
  public var reference: String { "\(name)@\(version)" }

  /// The method's configuration.
  ///
  /// - Throws: ``Failure``: the file is gone or not what was installed, as for everything that is read here.
  public func config() throws -> JSONObject { try json(.config) }

  /// The weights: a copy that was compared with its digest, and that nobody can change.
  public func weights() throws -> WeightFile { try weights(.weights) }

  /// The head that came with the adapter; `nil` if there is none.
  public func head() throws -> (configuration: JSONObject, weights: WeightFile)? {
    guard manifest.files.contains(where: { $0.role == .headConfig }) else { return nil }
    return (try json(.headConfig), try weights(.headWeights))
  }

  /// Everything that its bundle consists of.
  public func content() throws -> AdapterContent {
    AdapterContent(
      manifest: manifest, configuration: try config(), weights: try weights().tensors,
      head: try head().map { StoredModule(configuration: $0.configuration.members, weights: $0.weights.tensors) })
  }

  /// The model card, in Markdown; `nil` if there is none.
  public func card() throws -> String? {
    guard manifest.files.contains(where: { $0.role == .card }) else { return nil }
    return try read(.card) { String(decoding: $0, as: UTF8.self) }
  }

  /// What it must answer to a tiny input; `nil` if nobody has written that down.
  public func probe() throws -> Probe? {
    guard let file = manifest.files.first(where: { $0.role == .probe }) else { return nil }
    return try locating("\(name): \(file.path)") { try Probe(json(.probe), hiddenSize: manifest.base.hiddenSize) }
  }

  private func json(_ role: Manifest.Role) throws -> JSONObject {
    try read(role) { try JSONObject(JSON(parsing: Array($0))) }
  }

  private func weights(_ role: Manifest.Role) throws -> WeightFile {
    let (file, path) = try copy(role)
    return try locating("\(name): \(path)") { try Safetensors.open(file) }
  }

  private func read<Result>(_ role: Manifest.Role, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    let (file, path) = try copy(role)
    return try locating("\(name): \(path)") { try file.withBytes(body) }
  }

  private func copy(_ role: Manifest.Role) throws -> (MappedFile, path: String) {
    guard let file = manifest.files.first(where: { $0.role == role }) else {
      throw Failure(.missingBlob, "the adapter has no file with the role \(role.rawValue)", at: name.text)
    }
    return (try locating("\(name): \(file.path)") { try store.copy(file.digest, size: file.size) }, file.path)
  }
}
