import Foundation
import HubAdapters
import HubArchive
import HubWords
import HubRegistry
import HubTensor
import HubTransformer
import HubWeights

extension Hub {
  /// Writes a base model with an adapter of linear layers in its weights: LoRA, (IA)³, DoRA or VeRA at no cost in a pass.
  ///
  /// The registered model stays as it is, so that nothing has to be taken back out. Heads are not part of the folder. What
  /// is folded is what ``LoRA/folded(into:of:in:)`` says.
  ///
  /// - Parameter folder: must not be there yet or be empty; appears when it is complete
  /// - Throws: ``Failure``: an adapter of another base or method, or one with gates.
  public func fold(
    _ reference: String, into baseName: String, to folder: String, allowingOtherWeights: Bool = false
  ) throws {
    let record = try registry.baseModel(baseName), checkpoint = try Checkpoint(folder: record.folder),
      engine = try Engine()
    let installed = try adapter(reference)
    let weights = try locating(installed.reference) {
      try installed.manifest.base.checkFits(record.identity, allowingOtherWeights: allowingOtherWeights)
      let file = try installed.weights()
      try file.checkFinite()
      let method = try AdapterMethods.load(
        installed.config(), StoredWeights(file.tensors), shape: checkpoint.shape(), engine: engine)
      guard let lora = method as? LoRA else {
        throw Failure(
          .unfoldableAdapter, "only adapters of linear layers can become part of the weights",
          hint: "LoRA, (IA)³, DoRA and VeRA are such")
      }
      return try lora.folded(into: checkpoint.weights, of: checkpoint.family, in: Context(engine))
    }
    let scratch = try ScratchFolder(for: folder)
    for file in record.files where !["safetensors", "index.json", "bin"].contains(where: file.path.hasSuffix) {
      try copy(file.path, from: record.folder, to: scratch)
    }
    try SafetensorsWriter.write(
      Array(weights.tensors.values), metadata: ["format": "pt"], to: scratch.path + "/model.safetensors")
    try scratch.publish()
  }

  /// Copies a file and makes the folders that it lies in.
  private func copy(_ path: String, from folder: String, to scratch: ScratchFolder) throws {
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
