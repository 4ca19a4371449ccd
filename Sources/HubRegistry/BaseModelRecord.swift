public import Foundation
import HubArchive
public import HubBundle
import HubWeights
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
    /// That of its bytes; `nil` if an older version recorded it.
    public let digest: Digest?
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

  /// The files that are gone or hold something else, and those that appeared and would be read in the place of others.
  /// Where only the time of change is another one, as after a copy, the bytes decide.
  public var changedFiles: [String] { files.filter { current($0) == nil }.map(\.path) + appearedFiles }

  /// Files whose bytes are the same, and whose times are not.
  var touchedFiles: [File] { files.compactMap { file in current(file).flatMap { $0 == file ? nil : $0 } } }

  /// A file as it is now; `nil` if it is another one.
  private func current(_ file: File) -> File? {
    guard let now = try? Self.file(file.path, in: folder, digest: file.digest), now.size == file.size else {
      return nil
    }
    if now.modified == file.modified { return now }
    guard let digest = file.digest, (try? Self.digest(of: "\(folder)/\(file.path)")) == digest else { return nil }
    return now
  }

  /// What is read of a model, each list in the order in which its files are looked for.
  private static let alternatives = [
    ModelWeights.names,
    ["tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model"],
    ["tokenizer_config.json"], ["special_tokens_map.json"], ["added_tokens.json"],
  ]

  private var appearedFiles: [String] {
    let known = Set(files.map(\.path))
    return Self.alternatives.flatMap { names in
      names.prefix { !known.contains($0) }.filter { FileStatus("\(folder)/\($0)", followsLinks: true) != nil }
    }
  }

  /// Whether a file was changed since the model was added, so that its fingerprint may no longer be true.
  public var hasChanged: Bool { !changedFiles.isEmpty }

  func moved(to folder: String) -> BaseModelRecord {
    BaseModelRecord(
      name: name, folder: folder, isCopied: isCopied, description: description, files: files, addedAt: addedAt)
  }

  static func digest(of path: String) throws -> Digest { try MappedFile(path).withBytes { Digest(of: $0) } }

  /// A file as it is now.
  ///
  /// - Parameter digest: that of its bytes, as far as it is known
  static func file(_ path: String, in folder: String, digest: Digest? = nil) throws -> File {
    guard let status = FileStatus("\(folder)/\(path)", followsLinks: true), status.isFile else {
      throw Failure(.missingFile, "there is no such file", at: "\(folder)/\(path)")
    }
    return File(path: path, size: status.size, modified: status.modified, digest: digest)
  }
}
