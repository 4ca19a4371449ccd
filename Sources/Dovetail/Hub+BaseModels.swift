import HubArchive
import HubModels
import Foundation
public import HubBundle
public import HubWords
public import HubRegistry
import HubTokenizers
import HubTransformer
import HubWeights

extension Hub {
  /// Makes a base model known: a folder as Hugging Face keeps it, with `config.json` and weights.
  ///
  /// All of it is checked: each tensor is there, has the shape that the configuration asks for, and is finite.
  ///
  /// - Parameters:
  ///   - name: the folder's own name if `nil`, or where that cannot be one, the name in the configuration
  ///   - isCopied: whether the registry keeps a copy; otherwise the folder must stay as it is
  @discardableResult
  public func addBaseModel(
    folder: String, as name: AdapterName? = nil, copying isCopied: Bool = false
  ) throws -> BaseModelRecord {
    let folder = try Self.folder(of: folder)
    let checkpoint = try Checkpoint(folder: folder)
    let name = try name ?? Self.name(of: checkpoint)
    return try registry.addBaseModel(name, folder: folder, files: Self.files(of: folder), copying: isCopied) { place in
      try Self.describe(Checkpoint(folder: place))
    }
  }

  /// The folder itself, or that of a GGUF file which stands alone in it.
  private static func folder(of path: String) throws -> String {
    guard path.hasSuffix(".gguf") else { return path }
    let file = URL(fileURLWithPath: path), folder = file.deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: path) else {
      throw Failure(.missingFile, "there is no such file", at: path)
    }
    guard GGUFFile.name(in: folder) == file.lastPathComponent else {
      throw Failure(
        .unsupportedModel, "the folder has other models beside the GGUF file", at: path,
        hint: "move the file to a folder of its own")
    }
    return folder
  }

  /// What keeps the tokenizer of a model's folder from being read, without which the model answers no text.
  public static func tokenizerProblem(folder: String) -> Failure? {
    do {
      _ = try TokenizerFile.load(folder: folder)
      return nil
    } catch {
      return error as? Failure ?? Failure(.unreadableTokenizer, "\(error)", at: folder)
    }
  }

  /// What the files of a model say of its tokenizer that is not honoured, one sentence each.
  ///
  /// - Throws: ``Failure`` for a file that cannot be read.
  public static func tokenizerNotes(folder: String) throws -> [String] { try TokenizerFile.notes(folder: folder) }

  /// Checks every weight of a model, and takes its fingerprint.
  private static func describe(_ checkpoint: Checkpoint) throws -> BaseModelRecord.Description {
    let tensors = checkpoint.weights.tensors
    let schema = SchemaParameters { tensors[$0] != nil }
    let shape = try locating(checkpoint.folder) {
      let shape = try checkpoint.model(from: ParameterSource(schema)).shape
      try schema.check(against: tensors.mapValues(\.shape))
      for (_, tensor) in tensors.sorted(by: { $0.key < $1.key }) { try tensor.checkFinite() }
      return shape
    }
    return BaseModelRecord.Description(
      architecture: try checkpoint.configuration.string("model_type"), hiddenSize: shape.hiddenSize,
      layers: shape.layers,
      fingerprint: checkpoint.fingerprint())
  }

  private static func name(of checkpoint: Checkpoint) throws -> AdapterName {
    let own = URL(fileURLWithPath: checkpoint.folder).standardizedFileURL.lastPathComponent
    let configured = try checkpoint.configuration.optionalString("_name_or_path")?.split(separator: "/").last.map(
      String.init)
    for candidate in [own, configured].compactMap({ $0 }) {
      if let name = try? AdapterName(candidate) { return name }
    }
    throw Failure(
      .malformedName, "the folder's name cannot be the name of a model", at: checkpoint.folder,
      hint: "give it one with --as")
  }

  /// What belongs to a model: configuration, weights, and the files of its tokenizer.
  private static func files(of folder: String) throws -> [String] {
    if let name = GGUFFile.name(in: folder) { return [name] }
    let optional = [
      "generation_config.json", "chat_template.jinja", "tokenizer.json", "tokenizer_config.json",
      "special_tokens_map.json", "added_tokens.json", "vocab.txt",
      "vocab.json", "merges.txt",
      "sentencepiece.bpe.model", "spiece.model", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json",
    ]
    let isThere = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
    return try ["config.json"] + ModelWeights.files(in: folder) + optional.filter(isThere)
  }
}

extension BaseModelRecord {
  /// What it is, as bundles say on which base they were trained.
  var identity: Manifest.Base {
    Manifest.Base(
      architecture: description.architecture, name: name.text, hiddenSize: description.hiddenSize,
      layers: description.layers,
      fingerprint: description.fingerprint)
  }
}
