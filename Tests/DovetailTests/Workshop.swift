import Dovetail
import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTensor
import HubTesting
import HubWeights

/// A hub of its own, a tiny BERT with a vocabulary, and adapters that can be spoilt.
struct Workshop {
  let scratch: Scratch
  let hub: Hub

  private static let cases = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../ParityTests/Cases"
  ).standardizedFileURL.path

  init() throws {
    scratch = try Scratch()
    hub = try Hub(registry: scratch("registry"))
  }

  /// Copies the tiny model, gives it words, and registers it.
  @discardableResult
  func addModel(
    _ name: String = "tiny", base: String = "bert", changing change: (String) throws -> Void = { _ in }
  ) throws -> String {
    let folder = scratch("model-\(name)")
    try FileManager.default.copyItem(atPath: "\(Self.cases)/bases/\(base)", toPath: folder)
    let words = [
      "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "camera", "is", "great", "work", "##ing", "##s", ".", "not",
    ]
    try Data((words.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: folder + "/vocab.txt"))
    try change(folder)
    try hub.addBaseModel(folder: folder, as: AdapterName(name), copying: false)
    return folder
  }

  /// Gives a model a tokenizer of XLM-R's kind, whose tokens hold the space before them, and whose words the
  /// punctuation after them.
  static func givePieces(_ folder: String) throws {
    let tokenizer = """
      {"pre_tokenizer": {"type": "Metaspace"}, "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 2], "trim_offsets": false},
       "model": {"type": "Unigram", "unk_id": 3, "vocab": [["<s>", 0], ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["▁the", -2], ["▁camera", -3], ["s", -4],
         [".", -2], ["▁", -2]]}}
      """
    try Data(tokenizer.utf8).write(to: URL(filePath: folder + "/tokenizer.json"))
  }

  /// The folder of an adapter of a golden case, as the Python library saved it, after a change.
  func adapter(
    _ path: String = "seq_bn/adapters/a", changing change: (String) throws -> Void = { _ in }
  ) throws -> String {
    let folder = scratch("adapter-\(UUID().uuidString)")
    try FileManager.default.copyItem(atPath: "\(Self.cases)/\(path)", toPath: folder)
    try change(folder)
    return folder
  }

  /// Rewrites a JSON file of a folder.
  func edit(_ file: String, _ change: (inout JSON.Members) throws -> Void) throws {
    var members = try JSONObject(JSON(parsing: contents(of: file))).members
    try change(&members)
    try Data(JSON.object(members).text().utf8).write(to: URL(filePath: file))
  }

  /// Sets a value of `config` in an `adapter_config.json`.
  func setOption(_ key: String, _ value: JSON?, in folder: String) throws {
    try edit(folder + "/adapter_config.json") { members in
      var config = members["config"]?.object ?? [:]
      config[key] = value
      members["config"] = .object(config)
    }
  }

  /// Rewrites the tensors of a safetensors file.
  func retensor(_ file: String, _ change: ([StoredTensor]) throws -> [StoredTensor]) throws {
    let tensors = try change(
      Safetensors.open(file).tensors.map { try StoredTensor(name: $0.name, shape: $0.shape, floats: $0.floats()) })
    try SafetensorsWriter.write(tensors, to: file)
  }

  /// Every file of the registry with its content.
  var registryContents: [String: [UInt8]] {
    let folder = hub.registry.folder
    return Dictionary(
      uniqueKeysWithValues: (FileManager.default.subpaths(atPath: folder) ?? []).map {
        ($0, (try? contents(of: "\(folder)/\($0)")) ?? [])
      })
  }
}
