import Foundation
import HubArchive
import HubModels
public import HubBundle
public import HubWords
public import HubWeights

extension Failure.Code {
  /// The format has no way to say what the adapter is.
  public static let inexpressibleAdapter = Self("foreign/inexpressible", .refused)
}

/// An adapter that is to be written in somebody else's format: what a bundle consists of.
public struct AdapterContent: Sendable {
  /// What the bundle says about itself.
  public let manifest: Manifest
  /// AdapterHub's keys of `adapter_config.json`.
  public let configuration: JSONObject
  /// The tensors, by the names of the bundle format.
  public let weights: [StoredTensor]
  /// The head with its tensors; `nil` without one.
  public let head: (configuration: JSONObject, weights: [StoredTensor])?

  public init(
    manifest: Manifest, configuration: JSONObject, weights: [StoredTensor],
    head: (configuration: JSONObject, weights: [StoredTensor])?
  ) {
    self.manifest = manifest
    self.configuration = configuration
    self.weights = weights
    self.head = head
  }

  /// The family of the base model.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/inexpressibleAdapter`` if nobody else has such a model.
  func family() throws -> ModelFamily {
    guard let family = ModelFamilies.family(of: manifest.base.architecture) else {
      throw Failure(
        .inexpressibleAdapter, "the names of the modules of a \(manifest.base.architecture) are not known",
        at: "base.architecture")
    }
    return family
  }
}

/// The files of an adapter in a foreign format.
public struct ForeignFiles {
  var json: [(name: String, content: JSON.Members)] = []
  var weights: [(name: String, tensors: [StoredTensor], metadata: [String: String])] = []
  /// What could not be carried over, one sentence each.
  var notes: [String] = []
}

extension ForeignFormats {
  /// Writes an adapter to a folder, which must not be there yet or be empty, and appears when it is complete.
  ///
  /// - Returns: what could not be carried over, one sentence each.
  /// - Throws: ``Failure`` with code ``Failure/Code/inexpressibleAdapter`` that names the key or the tensor;
  ///   ``Failure/Code/existingFile``.
  public static func write(
    _ adapter: AdapterContent, as format: any ForeignFormat.Type, to folder: String
  ) throws -> [String] {
    let files = try format.files(of: adapter), scratch = try ScratchFolder(for: folder)
    for (name, content) in files.json {
      try scratch.write(name, Array((JSON.object(content).text(indent: 2) + "\n").utf8))
    }
    for (name, tensors, metadata) in files.weights {
      try SafetensorsWriter.write(tensors, metadata: metadata, to: "\(scratch.path)/\(name)")
    }
    try scratch.publish()
    return files.notes
  }
}
