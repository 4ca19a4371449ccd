import Foundation
import HubArchive
import HubModels
public import HubBundle
public import HubWords
import HubWeights

extension Failure.Code {
  /// The format has no way to say what the adapter is.
  public static let inexpressibleAdapter = Self("foreign/inexpressible", .refused)
}

extension AdapterContent {
  /// The family of the base model.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/inexpressibleAdapter`` if nobody else has such a model.
  func family() throws -> ModelFamily {
    guard let family = ModelFamilies.family(of: manifest.base.architecture) else {
      throw Failure(
        .inexpressibleAdapter, "the module names of a \(manifest.base.architecture) are unknown",
        at: "base.architecture")
    }
    return family
  }

  /// How many layers come before a decoder's; `nil` if the base has no such decoder.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/inexpressibleAdapter`` if the base has one, and the manifest does
  ///   not say.
  func encoderLayers(of family: ModelFamily) throws -> Int? {
    guard family.decoderLayers != nil else { return nil }
    guard let layers = manifest.base.encoderLayers else {
      throw Failure(
        .inexpressibleAdapter, "the manifest does not say how many layers the base model's encoder has",
        at: "base.encoderLayers")
    }
    return layers
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
    let files = try format.files(of: adapter), scratch = try StagedFolder(for: folder)
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
