import Foundation
import HubAdapters
import HubArchive
import HubBundle
import HubModels
import HubRegistry
import HubTensor
public import HubTraining
import HubTransformer
import HubWeights
public import HubWords

extension TrainingJob {
  /// What a run came to.
  public struct Outcome: Sendable {
    /// How it ended.
    public let ending: Trainer.Ending
    /// The figures of the weights that were kept, on the examples that tell the best.
    public let development: JSON.Members?
    /// The figures on the examples that were measured once.
    public let test: JSON.Members?
    /// The installed adapter, by name and version, and the digest of its bundle; `nil` after an interruption.
    public let installed: (reference: String, digest: Digest)?
    /// The folder of a base that was trained.
    public let folder: String?
  }

  /// Runs the recipe, or what is left of it, and installs what comes out.
  ///
  /// - Parameters:
  ///   - checkpoint: the file that a run goes on from, if it is there; removed at the end
  ///   - shouldStop: asked after each step
  /// - Throws: ``Failure``: a checkpoint of another run, a loss that is not finite, what cannot be written.
  public func run(
    checkpoint path: String?, installs: Bool = true, shouldStop: () -> Bool = { false },
    observe: (Trainer.Event) -> Void = { _ in }
  ) throws -> Outcome {
    let checkpoint = path.map { TrainingCheckpoint(path: $0, identity: identity.description) }
    if let checkpoint, checkpoint.exists { try trainer.resume(from: checkpoint) }
    let ending = try trainer.run(checkpoint: checkpoint, shouldStop: shouldStop, observe: observe)
    guard ending != .interrupted else {
      return Outcome(
        ending: ending, development: trainer.best?.figures, test: nil, installed: nil, folder: nil)
    }
    trainer.keepBest()
    let test = try data.test.isEmpty ? nil : figures(of: data.test)
    var installed: (reference: String, digest: Digest)?, folder: String?
    if base.identity == nil {
      folder = try writeBase()
    } else {
      if installs {
        installed = try install(
          Outcome(ending: ending, development: nil, test: test, installed: nil, folder: nil))
      } else {
        let scratch = try bundle(ending, test)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let bundle = try Bundle.open(folder: scratch)
        installed = ("\(bundle.manifest.name)@\(bundle.manifest.version)", bundle.digest)
      }
    }
    checkpoint?.remove()
    return Outcome(
      ending: ending, development: trainer.best?.figures, test: test, installed: installed, folder: folder)
  }

  /// Installs what a run came to that did not install it.
  ///
  /// - Returns: the adapter's name and version, and its digest; `nil` for a base, which is a folder
  /// - Throws: what the registry throws.
  public func install(_ outcome: Outcome) throws -> (reference: String, digest: Digest)? {
    guard base.identity != nil else { return nil }
    let scratch = try bundle(outcome.ending, outcome.test)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let adapter = try hub.install(from: scratch).adapter
    return (adapter.reference, adapter.digest)
  }

  private func figures(of examples: [TrainingExample]) throws -> JSON.Members {
    let scores = try learned.model.scores(
      of: examples, masking: Self.masking(recipe, base), seed: UInt64(recipe.integer("seed", 1)), on: engine)
    return scores.figures.reduce(into: JSON.Members()) { $0[$1.name] = .number($1.value) }
      .with(["n": .integer(scores.count)])
  }

  /// Writes the bundle to a folder of its own.
  private func bundle(_ ending: Trainer.Ending, _ test: JSON.Members?) throws -> String {
    guard let identity = base.identity else {
      throw Failure(.invalidRecipe, "a base model cannot be saved as a bundle")
    }
    let isLanguage = data.objective.task == MaskedWordsObjective.task
    let kind: AdapterKind = !fresh.members.isEmpty ? .fusion : isLanguage ? .language : .task
    var manifest = Manifest(
      name: try AdapterName(recipe.required("name")), kind: kind, method: fresh.method, base: identity)
    manifest.version = try SemanticVersion(recipe.text("version") ?? "1.0.0")
    manifest.languages = recipe.text("language").map { [$0] } ?? []
    manifest.task = isLanguage ? nil : data.objective.task
    manifest.labels = data.labels.isEmpty ? nil : data.labels
    manifest.license = recipe.text("license")
    manifest.members = fresh.members
    manifest.dependencies = fresh.below.map {
      Manifest.Dependency(
        name: $0.name, role: $0.manifest.kind == .language ? "language" : "below", digest: $0.digest)
    }
    let metrics = metrics(test)
    manifest.metrics = metrics
    manifest.source = source(ending)
    // A language's head is the base's table of words: whoever wants it trains with masked_lm again.
    let head =
      try data.objective.answer == .word
      ? nil
      : StoredModule(
        configuration: learned.headConfiguration,
        weights: StoredWeights(of: learned.model.heads[0].parameters).ordered)
    var builder = BundleBuilder(
      manifest: manifest, config: .object(fresh.configuration),
      weights: try StoredWeights(of: fresh.weights).ordered, head: head, card: card(manifest, metrics))
    builder.card = card(manifest, metrics)
    let folder = FileManager.default.temporaryDirectory.path + "/dovetail-\(UUID().uuidString)"
    _ = try builder.write(to: folder, isDurable: false)
    return folder
  }

  private func metrics(_ test: JSON.Members?) -> JSON.Members? {
    var metrics = JSON.Members()
    if let best = trainer.best {
      metrics["dev"] = .object(best.figures.with(["n": .integer(data.development.count), "step": .integer(best.step)]))
    }
    if let test { metrics["test"] = .object(test) }
    return metrics.entries.isEmpty ? nil : metrics
  }

  /// Everything that another run needs to come to the same bytes.
  private func source(_ ending: Trainer.Ending) -> JSON.Members {
    [
      "format": "training", "recipe": .object(recipe.members),
      "data": .array(
        data.files.map {
          [
            "key": .string($0.key), "name": .string($0.name), "rows": .integer($0.rows),
            "digest": .string($0.digest.description),
          ]
        }), "base": .string(base.digest.description), "kernels": .string(engine.kernels.name),
      "steps": .integer(trainer.learner.steps), "ending": .string(ending.rawValue),
      "identity": .string(identity.description),
    ]
  }

  /// Writes a base that was trained as a folder of a Hugging Face checkpoint.
  private func writeBase() throws -> String {
    let output = try recipe.required("output"), path = output.hasPrefix("/") ? output : "\(recipe.folder)/\(output)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let family = base.family, form = family.heads.first { $0.task == "ForMaskedLM" }
    let own = Set(base.parameters.map(ObjectIdentifier.init))
    var tensors = try base.parameters.map {
      try StoredTensor(name: "\(family.prefix).\($0.name)", shape: $0.shape, floats: $0.value.values)
    }
    for parameter in learned.model.heads[0].parameters where !own.contains(ObjectIdentifier(parameter)) {
      guard let name = form?.stored(parameter.name) else { continue }
      tensors.append(try StoredTensor(name: name, shape: parameter.shape, floats: parameter.value.values))
      // What `transformers` has under another name, too.
      let twins = ["cls.predictions.bias", "lm_head.bias"].filter { form?.meaning(ofTensor: $0) == .unused }
      if parameter.name == "decoder.bias" {
        for twin in twins where twin != name {
          tensors.append(try StoredTensor(name: twin, shape: parameter.shape, floats: parameter.value.values))
        }
      }
    }
    for name in Self.tokenizerFiles where FileManager.default.fileExists(atPath: "\(base.folder)/\(name)") {
      if let bytes = FileManager.default.contents(atPath: "\(base.folder)/\(name)") {
        try AtomicFile.write(Array(bytes), to: "\(path)/\(name)")
      }
    }
    let configuration = base.configuration.with([
      "architectures": .array([.string(family.className + "ForMaskedLM")])
    ])
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: "\(path)/model.safetensors")
    try AtomicFile.write(
      Array((JSON.object(configuration).text(indent: 2) + "\n").utf8), to: "\(path)/config.json")
    return path
  }

  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
    "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model",
  ]
}
