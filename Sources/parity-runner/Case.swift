import Foundation
import HubTransformer
import HubWords

extension Failure.Code {
  /// The case needs something that Dovetail does not have yet.
  static let unsupportedCase = Self("parity/unsupported", .usage)
}

/// One `case.json`.
struct Case {
  /// What one pass reads, and in training what it is taught.
  struct Batch {
    let inputIDs, attentionMask, typeIDs: [[Int]]
    /// Where the words of each row begin, and the last one ends; zeros follow.
    let wordStarts: [[Int]]?
    /// What the decoder reads, if the case says so.
    let decoderIDs, decoderMask: [[Int]]?
    let tasks: [Int]
    var labels = JSONObject(JSON.Members())
  }

  let folder: String
  let base: String
  let adapters: [(name: String, folder: String)]
  let fusions: [(name: String, folder: String)]
  let headFolders: [(name: String, folder: String)]
  let setup: Composition?
  let heads: [String]
  /// With heads by parts of the batch: the sequences of each.
  let headParts: [Int]?
  let skippedLayers: Set<Int>
  let leavesOut: [String: [Int]]
  let foldedAdapter: String?
  let averagedAdapter, averagedHead: JSONObject?
  let peft: (folder: String, modelClass: String)?
  /// The adapters that take the factors of the first one.
  let sharingAdapters: [String]
  let input: Batch
  /// The class of transformers whose own head answers.
  let modelClass: String?
  let wantsSentenceEmbedding: Bool
  let wantsGates: Bool
  let training: Training?
  /// Options of generation, of a case that writes texts.
  let generation: JSONObject?

  private static let known: Set<String> = [
    "name", "arch", "base", "notes", "adapters", "fusions", "heads", "setup", "head", "skip_layers", "inputs", "texts",
    "tolerance",
    "token_masks", "train", "gating_scores", "average_adapter", "average_head", "leave_out", "merge_adapter",
    "adapter_setup", "peft", "share_parameters", "error", "library_error", "reference_attention", "model_class",
    "generate",
  ]

  init(folder: String) throws {
    self.folder = folder
    guard let bytes = FileManager.default.contents(atPath: folder + "/case.json") else {
      throw Failure(.unexpectedJSON, "there is no case.json", at: folder)
    }
    let json = try JSONObject(JSON(parsing: bytes))
    if let key = json.members.entries.first(where: { !Self.known.contains($0.key) && !$0.value.isNull })?.key {
      throw Failure(.unsupportedCase, "the key \(key)")
    }
    let base = try json.string("base")
    let models = ProcessInfo.processInfo.environment["PARITY_MODELS"] ?? "."
    self.base = base.hasPrefix("pip:") ? "\(models)/\(base.dropFirst(4))" : "\(folder)/\(base)"
    func folders(_ key: String) throws -> [(String, String)] {
      try (json.optionalObject(key)?.members.entries ?? []).map { ($0.key, "\(folder)/\($0.value.string ?? "")") }
    }
    let saved = try json.optionalString("adapter_setup").map { try Self.saved("\(folder)/\($0)") } ?? [:]
    adapters = try folders("adapters") + (saved["adapter_config.json"] ?? [])
    fusions = try folders("fusions") + (saved["adapter_fusion_config.json"] ?? [])
    headFolders = try folders("heads") + (saved["head_config.json"] ?? [])
    leavesOut = try Dictionary(
      (json.optionalObject("leave_out")?.members.entries ?? []).map { ($0.key, $0.value.integers ?? []) }
    ) { $1 }
    foldedAdapter = try json.optionalString("merge_adapter")
    averagedAdapter = try json.optionalObject("average_adapter")
    averagedHead = try json.optionalObject("average_head")
    peft = try json.optionalObject("peft").map { ("\(folder)/\(try $0.string("path"))", try $0.string("model_class")) }
    sharingAdapters =
      try json.optionalObject("share_parameters").map { shared in
        let names = try shared.strings("adapters"), reference = try shared.optionalString("reference")
        return [reference ?? names[0]] + names
      } ?? []
    setup = try json.members["setup"].flatMap { $0.isNull ? nil : try Self.composition($0) }
    (heads, headParts) = Self.heads(json.members["head"] ?? .null)
    skippedLayers = Set(json.members["skip_layers"]?.integers ?? [])
    modelClass = try json.optionalString("model_class")
    let training = try json.optionalObject("train").map(Training.init)
    guard let input = try json.optionalObject("inputs").map(Batch.init) ?? training?.batches.first else {
      throw Failure(.unsupportedCase, "a case without inputs")
    }
    self.training = training
    self.input = input
    wantsSentenceEmbedding = json.members["texts"].map { !$0.isNull } ?? false
    wantsGates = try json.optionalBool("gating_scores") ?? false
    generation = try json.optionalObject("generate")
  }

  /// The folders of a saved setup, by the first file that says what is in them.
  private static func saved(_ folder: String) throws -> [String: [(String, String)]] {
    var result: [String: [(String, String)]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let kinds = ["adapter_config.json", "adapter_fusion_config.json", "head_config.json"]
      if let kind = kinds.first(where: { FileManager.default.fileExists(atPath: "\(folder)/\(name)/\($0)") }) {
        result[kind, default: []].append((name, "\(folder)/\(name)"))
      }
    }
    return result
  }

  private static func heads(_ json: JSON) -> ([String], [Int]?) {
    if let parts = json["batch_split"]?.strings { return (parts, json["batch_sizes"]?.integers) }
    return (json.strings ?? json.string.map { [$0] } ?? [], nil)
  }

  static func composition(_ json: JSON) throws -> Composition {
    if let name = json.string { return .adapter(name) }
    let node = try JSONObject(json)
    if let children = try node.optional("stack", "an array", { $0.array }) {
      return .stack(try children.map(composition))
    }
    if let children = try node.optional("fuse", "an array", { $0.array }) {
      return .fuse(try children.map(composition), name: try node.optionalString("name"))
    }
    if let children = try node.optional("multi_task", "an array", { $0.array }) {
      return .multiTask(try children.map(composition))
    }
    if let children = try node.optional("parallel", "an array", { $0.array }) {
      return .parallel(try children.map(composition))
    }
    if let children = try node.optional("split", "an array", { $0.array }) {
      return .split(try children.map(composition), tokens: node.members["splits"]?.integers ?? [])
    }
    if let children = try node.optional("batch_split", "an array", { $0.array }) {
      return .batchSplit(try children.map(composition), sequences: node.members["batch_sizes"]?.integers ?? [])
    }
    if let children = try node.optional("average", "an array", { $0.array }) {
      let weights = node.members["weights"]?.array?.compactMap(\.number)
      return .average(
        try children.map(composition), weights: weights, normalizes: try node.optionalBool("normalize_weights") ?? true)
    }
    throw Failure(.unsupportedCase, "the composition \(json.text())")
  }
}

extension Case.Batch {
  init(_ inputs: JSONObject) throws {
    func rows(_ key: String) throws -> [[Int]]? {
      try inputs.optional(key, "rows of integers") { value in
        // With choices there is one level more.
        let rows = value.array.map { rows in
          rows.first?.array?.first?.array == nil ? rows : rows.flatMap { $0.array ?? [] }
        }
        return rows.flatMap { rows in
          rows.compactMap(\.integers).count == rows.count ? rows.compactMap(\.integers) : nil
        }
      }
    }
    guard let ids = try rows("input_ids") else { throw Failure(.unsupportedCase, "inputs without input_ids") }
    let known = [
      "input_ids", "attention_mask", "token_type_ids", "task_ids", "word_starts", "decoder_input_ids",
      "decoder_attention_mask",
    ]
    if let other = inputs.members.entries.first(where: { !known.contains($0.key) && !$0.value.isNull }) {
      throw Failure(.unsupportedCase, "the input \(other.key)")
    }
    tasks = try inputs.optional("task_ids", "integers") { $0.integers } ?? []
    inputIDs = ids
    attentionMask = try rows("attention_mask") ?? ids.map { $0.map { _ in 1 } }
    typeIDs = try rows("token_type_ids") ?? ids.map { $0.map { _ in 0 } }
    wordStarts = try rows("word_starts")
    decoderIDs = try rows("decoder_input_ids")
    decoderMask = try rows("decoder_attention_mask")
  }

  /// What the model reads; of an encoder and a decoder, what the encoder reads.
  ///
  /// - Parameters:
  ///   - keepsPadding: whether padding takes part, unseen
  ///   - added: the columns that an adapter puts before each row
  func layout(keepsPadding: Bool, added: Int = 0) -> Layout {
    Layout(inputIDs, mask: attentionMask, typeIDs: typeIDs, keepsPadding: keepsPadding, added: added)
  }

  /// What the decoder reads: what the case says, or else what teaches it the labels, or the text once more.
  func decoderLayout(of model: any EncoderDecoder) -> Layout {
    if let decoderIDs { return Layout(decoderIDs, mask: decoderMask ?? decoderIDs.map { $0.map { _ in 1 } }) }
    guard let rows = labels.members["labels"]?.array?.map({ $0.integers ?? [] }), rows.first?.isEmpty == false else {
      return Layout(inputIDs.map(model.decoderInput), mask: attentionMask)
    }
    let ids = rows.map { row in
      model.decoderInput(for: row.filter { $0 != -100 }) + Array(repeating: 0, count: row.count { $0 == -100 })
    }
    return Layout(ids, mask: rows.map { $0.map { $0 == -100 ? 0 : 1 } })
  }

  /// The words of each row, followed by empty ones until there are as many as tokens: in the reference these have
  /// scores, too.
  var paddedWords: [[Range<Int>]]? {
    wordStarts.map { starts in
      starts.map { row in
        let ends = row.dropFirst().prefix { $0 > 0 }
        return zip(row, ends).map { $0..<max($0, $1) } + Array(repeating: 0..<0, count: row.count - ends.count)
      }
    }
  }
}
