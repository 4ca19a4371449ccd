import Foundation
import HubAdapters
import HubArchive
import HubWords
import HubModels
import HubRegistry
import HubTensor
import HubTransformer
import HubWeights

extension Hub {
  /// Writes a base model with an adapter of linear layers in its weights: LoRA, (IA)³, DoRA or VeRA at no cost in a
  /// pass.
  ///
  /// The registered model stays as it is, so that nothing has to be taken back out. The adapter's head comes along
  /// where a model class of Hugging Face has one like it, or else the head that the model came with.
  ///
  /// - Parameter folder: must not be there yet or be empty; appears when it is complete
  /// - Returns: what is not in the folder, one sentence each.
  /// - Throws: ``Failure``: an adapter of another base or method, or one with gates.
  @discardableResult
  public func fold(
    _ reference: String, into baseName: String, to folder: String, allowingOtherWeights: Bool = false
  ) throws -> [String] {
    let record = try registry.baseModel(baseName), checkpoint = try Checkpoint(folder: record.folder),
      engine = try Engine()
    let installed = try adapter(reference)
    let weights = try locating(installed.reference) {
      try installed.manifest.base.checkFits(record.identity, allowingOtherWeights: allowingOtherWeights)
      let file = try installed.weights()
      try file.checkFinite()
      let method = try AdapterMethods.load(
        installed.config(), StoredWeights(file.tensors), shape: checkpoint.shape(), engine: engine)
      guard let foldable = method as? any FoldableMethod else {
        throw Failure(
          .unfoldableAdapter, "only adapters of linear layers can be folded into the weights",
          hint: "LoRA, (IA)³, DoRA and VeRA can be")
      }
      return try foldable.folded(
        into: checkpoint.weights, of: checkpoint.family, as: .running, in: Context(engine))
    }
    let scratch = try StagedFolder(for: folder)
    try copyCompanions(of: record, to: scratch)
    let head = try FoldedHead(of: installed, on: checkpoint)
    try SafetensorsWriter.write(
      head.tensors(Array(weights.tensors.values), prefix: checkpoint.family.prefix), metadata: ["format": "pt"],
      to: scratch.path + "/model.safetensors")
    try scratch.writeConfiguration(checkpoint.configuration.members.with(head.configuration))
    try scratch.publish()
    guard GGUFFile.name(in: record.folder) == nil else {
      return head.notes + ["the tokenizer is part of the GGUF file, and is not in the folder"]
    }
    return head.notes
  }
}

/// The head of a folded model, as a checkpoint of a class of Hugging Face has it.
private struct FoldedHead {
  private(set) var head: [StoredTensor] = []
  /// What `config.json` says of it.
  private(set) var configuration: JSON.Members = [:]
  private(set) var notes: [String] = []

  init(of adapter: InstalledAdapter, on checkpoint: Checkpoint) throws {
    guard let own = try adapter.head() else {
      head = checkpoint.headTensors
      return
    }
    let family = checkpoint.family, configuration = own.configuration.members
    guard let form = family.head(like: configuration), configuration["pooler_rank"] == nil else {
      notes = [
        "the head is not in the folder: no model class of Hugging Face has one like it; run the adapter's with hub run --head \(adapter.name)"
      ]
      return
    }
    let modelClass = family.className + form.task
    head = try own.weights.tensors.map { tensor in
      guard let stored = form.stored(tensor.name) else {
        throw Failure(.unfoldableAdapter, "a \(modelClass) has no name for the head's tensor", at: tensor.name)
      }
      return tensor.renamed(stored)
    }
    self.configuration["architectures"] = [.string(modelClass)]
    guard let labels = configuration["label2id"]?.object else { return }
    self.configuration["label2id"] = .object(labels)
    self.configuration["id2label"] = .object(
      labels.entries.reduce(into: JSON.Members()) { $0[($1.value.integer ?? 0).description] = .string($1.key) })
    self.configuration["num_labels"] = .integer(labels.entries.count)
  }

  /// All tensors; beside a head, the model's have its prefix.
  func tensors(_ base: [StoredTensor], prefix: String) -> [StoredTensor] {
    head.isEmpty ? base : base.map { $0.renamed("\(prefix).\($0.name)") } + head
  }
}
