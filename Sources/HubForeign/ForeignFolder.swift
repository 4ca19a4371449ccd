import Foundation
import HubArchive
import HubWords
import HubWeights

/// The files of a folder that a foreign format keeps an adapter in.
public struct ForeignFolder {
  let path: String
  let files: Set<String>

  public init(_ path: String) throws {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw Failure(.missingForeignFile, "the folder cannot be listed", at: path)
    }
    self.path = path
    files = Set(names)
  }

  func object(_ file: String) throws -> JSONObject {
    let bytes = try OpenFile(reading: "\(path)/\(file)").bytes(limit: InputLimits.jsonBytes)
    return try locating(file) {
      try Placeholder.check(bytes)
      return try JSONObject(JSON(parsing: bytes, limits: JSON.Limits(roundsIntegers: true)))
    }
  }

  /// The first of the candidates that is there: safetensors before pickles, in one piece before shards.
  func weights(_ candidates: [String], for config: String) throws -> WeightFile {
    let all = candidates.flatMap { $0.hasSuffix(".safetensors") ? [$0, "\($0).index.json"] : [$0] }
    guard let file = all.first(where: files.contains) else {
      let others = files.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".bin") || $0.hasSuffix(".pt") }.sorted()
      throw Failure(
        .missingForeignFile,
        "\(config) has no weights beside it"
          + (others.isEmpty ? "" : "; found \(others.prefix(3).joined(separator: ", "))"), at: path,
        hint: "expected \(candidates.joined(separator: " or "))")
    }
    let path = "\(path)/\(file)"
    if file.hasSuffix(".json") { return try ShardedWeights.open(path) }
    return file.hasSuffix(".bin") ? try TorchFile.open(path) : try Safetensors.open(path)
  }

  /// What is said of files that were not read.
  func notes(besides used: [String]) -> [String] {
    files.subtracting(used).sorted().map { "the file \($0) was not carried over" }
  }
}
