import Foundation
import HubArchive
import HubModels
import HubRegistry
public import HubTensor
import HubTransformer
import HubWeights
import HubWords

extension Hub {
  /// Writes a base model whose matrices take less room: in bfloat16, or in eight bits with a scale for each row, which
  /// is the format `int-quantized` of compressed-tensors.
  ///
  /// What comes out is another model, with a fingerprint of its own: adapters are trained on the one that they will run
  /// on.
  ///
  /// - Parameter folder: must not be there yet or be empty; appears when it is complete
  /// - Throws: ``Failure``: no such model, one whose matrices lie across, a folder that holds something.
  public func compress(_ baseName: String, to precision: Precision, folder: String) throws {
    let record = try registry.baseModel(baseName)
    guard GGUFFile.name(in: record.folder) == nil else {
      throw Failure(.unsupportedModel, "the model is a GGUF file, whose weights are packed already", at: baseName)
    }
    let checkpoint = try Checkpoint(folder: record.folder), family = checkpoint.family
    guard precision != .int8 || family.layers.joined == nil else {
      throw Failure(
        .unsupportedModel,
        "the matrices of \(family.className) are stored transposed, for which the format has no scales",
        at: baseName, hint: "use --precision bfloat16")
    }
    let own = checkpoint.weights.tensors.values.map { $0.renamed("\(family.prefix).\($0.name)") }
    let tensors = try locating(record.folder) { try Self.compressed(own + checkpoint.headTensors, to: precision) }
    let scratch = try StagedFolder(for: folder)
    try copyCompanions(of: record, to: scratch)
    try SafetensorsWriter.write(
      tensors.sorted { $0.name < $1.name }, metadata: ["format": "pt"], to: scratch.path + "/model.safetensors")
    var configuration = checkpoint.configuration.members
    if precision == .int8 { configuration["quantization_config"] = .object(CompressedTensors.configuration) }
    if precision == .bfloat16 { configuration["torch_dtype"] = "bfloat16" }
    try scratch.writeConfiguration(configuration)
    try scratch.publish()
  }

  private static func compressed(_ tensors: [StoredTensor], to precision: Precision) throws -> [StoredTensor] {
    switch precision {
    case .float32: try tensors.map { try StoredTensor(name: $0.name, shape: $0.shape, floats: $0.floats()) }
    case .bfloat16: try tensors.map { try $0.roundedToBFloat16() }
    case .int8: try CompressedTensors.compressed(tensors)
    }
  }

  /// Copies the files of a model that hold no weights and no configuration.
  func copyCompanions(of record: BaseModelRecord, to scratch: StagedFolder) throws {
    let unwritten = ["safetensors", "index.json", "bin", "gguf"]
    for file in record.files where file.path != "config.json" && !unwritten.contains(where: file.path.hasSuffix) {
      try copy(file.path, from: record.folder, to: scratch)
    }
  }

  /// Copies a file and makes the folders that it lies in.
  private func copy(_ path: String, from folder: String, to scratch: StagedFolder) throws {
    guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(path)") else {
      throw Failure(.unreadableFile, "the file cannot be read", at: "\(folder)/\(path)")
    }
    let components = path.split(separator: "/")
    for depth in 1..<max(1, components.count) {
      let parent = components.prefix(depth).joined(separator: "/")
      if !FileManager.default.fileExists(atPath: "\(scratch.path)/\(parent)") { try scratch.makeFolder(parent) }
    }
    try scratch.write(path, Array(bytes))
  }
}

extension StagedFolder {
  /// Writes `config.json`.
  func writeConfiguration(_ members: JSON.Members) throws {
    try write("config.json", Array((JSON.object(members).text(indent: 2) + "\n").utf8))
  }
}
