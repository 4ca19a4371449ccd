import HubAdapters
import HubForeign
import HubWords
import HubTensor
import HubModels
import HubTransformer
import HubWeights

/// The base model, adapters, fusions and heads of a case.
struct Loaded {
  struct Adapter {
    let method: any AdapterMethod
    let configuration: JSON.Members
    let weights: [StoredTensor]
    var shapes: [String: [Int]] {
      Dictionary(weights.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    }
  }

  struct NamedHead {
    let head: any Head
    let configuration: JSON.Members
    let weights: [StoredTensor]
    var shapes: [String: [Int]] {
      Dictionary(weights.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    }
  }

  let engine: Engine
  let family: ModelFamily
  private(set) var base: any BaseModel
  /// All weights of the base, and of the head that its checkpoint has.
  private(set) var baseParameters: [Parameter] = []
  private(set) var adapters: [String: Adapter] = [:]
  private(set) var heads: [String: NamedHead] = [:]
  /// Heads that answer without being asked for: those of a model class that has one.
  private(set) var headsOfCheckpoint: [String] = []
  static let peftName = "peft"

  private final class LoadedFusions {
    var all: [String: AdapterFusion] = [:]
  }

  private let loadedFusions = LoadedFusions()
  private var fusions: [(name: String, members: [String], foreign: ForeignAdapter)] = []

  init(_ parityCase: Case, engine: Engine) throws {
    self.engine = engine
    let checkpoint = try Checkpoint(folder: parityCase.base)
    family = checkpoint.family
    (base, baseParameters) = try checkpoint.weights.load(engine: engine, sharing: [:], checkpoint.model)
    try addHead(of: checkpoint, parityCase)
    for (name, folder) in parityCase.adapters {
      let foreign = try AdapterHub.read(folder: folder)
      try locating(folder) {
        try addAdapter(name, foreign.configuration, foreign.weights, without: parityCase.leavesOut[name] ?? [])
      }
      try addHead(of: foreign, renaming: foreign.name, to: name)
    }
    try share(parityCase.sharingAdapters)
    for (name, folder) in parityCase.fusions {
      let foreign = try AdapterHub.read(folder: folder)
      guard case .fusion(let members) = foreign.content else { continue }
      fusions.append((name, members, foreign))
      try addHead(of: foreign, renaming: foreign.name, to: name)
    }
    for (name, folder) in parityCase.headFolders {
      let foreign = try AdapterHub.read(folder: folder)
      try addHead(of: foreign, renaming: foreign.name, to: name)
    }
    if let peft = parityCase.peft {
      let foreign = try PEFT.read(folder: peft.folder)
      try addAdapter(Self.peftName, foreign.configuration, foreign.weights, without: [])
      if let head = foreign.head {
        try addHead(of: foreign, renaming: head.name, to: head.name)
        headsOfCheckpoint = [head.name]
      }
    }
    try average(parityCase)
    if let name = parityCase.foldedAdapter { try fold(name, checkpoint) }
  }

  /// The layers of the model, or of its decoder.
  var ownLayers: Int { base.shape.layers - (base.shape.encoderLayers ?? 0) }

  /// The head of the checkpoint's class, where the case wants it. The Python library's own classes have no bias over
  /// the words.
  private mutating func addHead(of checkpoint: Checkpoint, _ parityCase: Case) throws {
    let modelClass = parityCase.modelClass ?? parityCase.peft?.modelClass, isWhole = parityCase.training?.mode == "full"
    guard parityCase.heads.contains("default") || modelClass != nil,
      let head = try CheckpointHead(checkpoint, keepsBias: isWhole)
    else { return }
    var configuration = head.configuration, weights = head.weights.tensors
    if modelClass == nil, configuration["head_type"] == "seq2seq_lm" {
      configuration["bias"] = false
      weights["decoder.bias"] = nil
    }
    let words = baseParameters.filter { isWhole && $0.name == family.wordEmbeddings + ".weight" }
    let loaded = try Heads.load(
      JSONObject(configuration), StoredWeights(weights), shape: base.shape, engine: engine,
      sharing: Dictionary(words.map { ("decoder.weight", $0) }) { $1 })
    heads["default"] = NamedHead(head: loaded, configuration: configuration, weights: [])
    if modelClass != nil { headsOfCheckpoint = ["default"] }
  }

  /// Gives MTL-LoRA's tasks the factors of the first.
  private mutating func share(_ names: [String]) throws {
    guard let first = names.first.flatMap({ adapters[$0] }) else { return }
    let shared = first.method.parameters.filter(Self.isShared)
    for name in names.dropFirst() {
      guard let adapter = adapters[name], name != names[0] else { continue }
      let (method, _) = try StoredWeights(adapter.weights).load(
        engine: engine, sharing: Dictionary(shared.map { ($0.name, $0) }) { $1 }
      ) { try MTLLoRA(configuration: JSONObject(adapter.configuration), shape: base.shape, weights: $0) }
      adapters[name] = Adapter(method: method, configuration: adapter.configuration, weights: adapter.weights)
    }
  }

  /// The factors that MTL-LoRA's tasks have in common.
  private static func isShared(_ parameter: Parameter) -> Bool {
    [".lora_a", ".lora_b"].contains(where: parameter.name.hasSuffix)
  }

  /// Builds the base model again with an adapter in its weights.
  private mutating func fold(_ name: String, _ checkpoint: Checkpoint) throws {
    guard let adapter = adapters[name]?.method as? any FoldableMethod else {
      throw Failure(.unsupportedCase, "folding an adapter of another method")
    }
    let weights = try adapter.folded(
      into: checkpoint.weights, of: checkpoint.family, as: .library, in: Context(engine))
    base = try weights.load(engine: engine, checkpoint.model)
  }

  /// - Parameter layers: those whose tensors are dropped while loading
  private mutating func addAdapter(
    _ name: String, _ configuration: JSON.Members, _ weights: [StoredTensor], without layers: [Int]
  ) throws {
    var configuration = configuration
    if !layers.isEmpty { configuration["leave_out"] = .array(layers.map(JSON.integer)) }
    let weights = weights.filter { tensor in !layers.contains { tensor.name.hasPrefix("layers.\($0).") } }
    let method = try AdapterMethods.load(
      JSONObject(configuration, path: "config"), StoredWeights(weights), shape: base.shape, engine: engine)
    adapters[name] = Adapter(method: method, configuration: configuration, weights: weights)
  }

  private mutating func average(_ parityCase: Case) throws {
    if let json = parityCase.averagedAdapter {
      let members = try json.strings("adapters").compactMap { adapters[$0] }.map {
        StoredModule(configuration: $0.configuration, weights: $0.weights)
      }
      let strategy: Averaging.Strategy =
        switch try json.optionalString("combine_strategy") {
        case "lora_linear_only_negate_b": .negatingB
        case "lora_delta_w_svd": .product(rank: try json.integer("svd_rank"))
        default: .linear
        }
      var result = try Self.averaging(members, json).result(strategy)
      // The reference's models have heads, and there the library forgets to average invertible adapters.
      result.configuration["inv_adapter"] = nil
      result.weights.removeAll { $0.name.hasPrefix("invertible.") }
      try addAdapter(try json.string("name"), result.configuration, result.weights, without: [])
    }
    if let json = parityCase.averagedHead {
      let members = try json.strings("heads").compactMap { heads[$0] }.map {
        StoredModule(configuration: $0.configuration, weights: $0.weights)
      }
      let result = try Self.averaging(members, json).result()
      let head = try Heads.load(
        JSONObject(result.configuration), StoredWeights(result.weights), shape: base.shape, engine: engine)
      heads[try json.string("name")] = NamedHead(
        head: head, configuration: result.configuration, weights: result.weights)
    }
  }

  private static func averaging(_ members: [StoredModule], _ json: JSONObject) throws -> Averaging {
    try Averaging(
      members, weights: json.members["weights"]?.array?.compactMap(\.number),
      normalizes: try json.optionalBool("normalize_weights") ?? true)
  }

  private mutating func addHead(of foreign: ForeignAdapter, renaming old: String, to new: String) throws {
    guard let head = foreign.head else { return }
    let loaded = try Heads.load(
      JSONObject(head.configuration, path: "config"), StoredWeights(head.weights), shape: base.shape, engine: engine)
    heads[head.name == old ? new : head.name] = NamedHead(
      head: loaded, configuration: head.configuration, weights: head.weights)
  }

  func setup(_ composition: Composition) throws -> Setup {
    try Setup(composition) {
      adapters[$0]?.method
    } fusion: { members, name, sites in
      let wanted = name ?? members.joined(separator: ",")
      return try fusion(wanted, sites)
    }
  }

  /// A fusion is loaded once, or training would begin again with each pass.
  private func fusion(_ name: String, _ sites: Set<Site>) throws -> AdapterFusion? {
    if let fusion = loadedFusions.all[name] { return fusion }
    guard let stored = fusions.first(where: { $0.name == name })?.foreign else { return nil }
    let fusion = try StoredWeights(stored.weights).load(engine: engine) { weights in
      try AdapterFusion(
        configuration: JSONObject(stored.configuration, path: "config"), sites: sites, shape: base.shape,
        weights: weights)
    }
    loadedFusions.all[name] = fusion
    return fusion
  }

  /// The fusions that a setup has used.
  var usedFusions: [AdapterFusion] { Array(loadedFusions.all.values) }
  /// The same by their names.
  var usedFusionsByName: [String: AdapterFusion] { loadedFusions.all }
}
