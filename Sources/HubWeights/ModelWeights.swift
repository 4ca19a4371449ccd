import Foundation
public import HubWords
import HubArchive

extension Failure.Code {
  /// A folder has no file with the weights of a model.
  public static let missingModelWeights = Self("model/not-found", .notFound)
}

/// The weights of a whole model in a folder as Hugging Face keeps it: safetensors or what `torch.save` writes, in one
/// file or in shards.
public enum ModelWeights {
  /// The names of the file, or of the index of the shards, in the order in which they are looked for.
  public static let names = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
  ]

  /// The first of ``names`` that is there.
  private static func name(in folder: String) throws -> String {
    if let name = names.first(where: { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }) { return name }
    throw Failure(
      .missingModelWeights, "the folder has no model weights", at: folder,
      hint: "looked for \(names.joined(separator: ", "))")
  }

  /// The files that hold the weights: one, or an index and its shards.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/missingModelWeights``, or for an index that cannot be read.
  public static func files(in folder: String) throws -> [String] {
    let name = try name(in: folder)
    return name.hasSuffix(".json") ? try [name] + ShardedWeights.names(listedBy: "\(folder)/\(name)") : [name]
  }

  /// - Throws: ``Failure``: no weights, or files that are not what they should be.
  public static func open(in folder: String) throws -> WeightFile {
    let path = "\(folder)/\(try name(in: folder))"
    return path.hasSuffix(".json") ? try ShardedWeights.open(path) : try openFile(path)
  }

  static func openFile(_ path: String) throws -> WeightFile {
    path.hasSuffix(".bin") ? try TorchFile.open(path, limits: limits) : try Safetensors.open(path)
  }

  /// Models are larger than adapters; torch stores them as they are.
  private static let limits: ArchiveLimits = {
    var limits = ArchiveLimits()
    limits.archiveBytes = 64 << 30
    limits.unpackedBytes = 64 << 30
    return limits
  }()
}
