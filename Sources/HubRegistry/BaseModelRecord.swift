public import Foundation
import HubArchive
public import HubBundle
public import HubWords

/// A base model that the registry knows: where it lies and what identifies it.
public struct BaseModelRecord: Hashable, Sendable {
  /// A file of the model as it was when the model was added.
  public struct File: Hashable, Sendable {
    /// Relative to the folder.
    public let path: String
    /// Bytes.
    public let size: Int
    /// Nanoseconds since 1970.
    public let modified: Int
  }

  /// What a model says about itself.
  public struct Description: Hashable, Sendable {
    /// The model type as in its configuration, such as `bert`.
    public let architecture: String
    /// The width of its hidden states.
    public let hiddenSize: Int
    /// The number of its layers.
    public let layers: Int
    /// The digest that identifies configuration and weights.
    public let fingerprint: Digest

    public init(architecture: String, hiddenSize: Int, layers: Int, fingerprint: Digest) {
      self.architecture = architecture
      self.hiddenSize = hiddenSize
      self.layers = layers
      self.fingerprint = fingerprint
    }
  }

  /// What the registry calls it.
  public let name: AdapterName
  /// Where its files lie.
  public let folder: String
  /// Whether the folder is a copy that belongs to the registry.
  public let isCopied: Bool
  public let description: Description
  /// The files that belong to it, as they were when it was added.
  public let files: [File]
  /// When it was added.
  public let addedAt: Date

  /// Bytes of all its files.
  public var size: Int { files.reduce(0) { $0 + $1.size } }

  /// The files that are gone, or whose size or time of change is another one.
  public var changedFiles: [String] {
    files.filter { (try? Self.file($0.path, in: folder)) != $0 }.map(\.path)
  }

  /// Whether a file was changed since the model was added, so that its fingerprint may no longer be true.
  public var hasChanged: Bool { !changedFiles.isEmpty }

  func moved(to folder: String) -> BaseModelRecord {
    BaseModelRecord(
      name: name, folder: folder, isCopied: isCopied, description: description, files: files, addedAt: addedAt)
  }

  /// A file as it is now.
  static func file(_ path: String, in folder: String) throws -> File {
    guard let status = FileStatus("\(folder)/\(path)", followsLinks: true), status.isFile else {
      throw Failure(.missingFile, "there is no such file", at: "\(folder)/\(path)")
    }
    return File(path: path, size: status.size, modified: status.modified)
  }
}
