import Foundation
import HubArchive
import HubWords
import HubWeights

/// The files of a folder that a foreign format keeps an adapter in.
struct ForeignFolder {
  let path: String
  let files: Set<String>

  init(_ path: String) throws {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw Failure(.missingForeignFile, "the folder cannot be listed", at: path)
    }
    self.path = path
    files = Set(names)
  }

  func object(_ file: String) throws -> JSONObject {
    let bytes = try OpenFile(reading: "\(path)/\(file)").bytes(limit: InputLimits.jsonBytes)
    return try locating(file) { try JSONObject(JSON(parsing: bytes)) }
  }

  /// The first of the candidates that is there: safetensors before pickles.
  func weights(_ candidates: [String], for config: String) throws -> WeightFile {
    guard let file = candidates.first(where: files.contains) else {
      throw Failure(
        .missingForeignFile, "\(config) is there, and no weights are", at: path,
        hint: "expected \(candidates.joined(separator: " or "))")
    }
    let path = "\(path)/\(file)"
    return file.hasSuffix(".bin") ? try TorchFile.open(path) : try Safetensors.open(path)
  }

  /// What is said of files that were not read.
  func notes(besides used: [String]) -> [String] {
    files.subtracting(used).sorted().map { "the file \($0) was not carried over" }
  }
}
