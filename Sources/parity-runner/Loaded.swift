import HubAdapters
import HubForeign
import HubManifest
import HubTensor
import HubTransformer
import HubWeights

/// The base model, adapters, fusions and heads of a case.
struct Loaded {
  struct Adapter {
    let method: any AdapterMethod
    let configuration: JSON.Members
    let shapes: [String: [Int]]
  }

  struct NamedHead {
    let head: any Head
    let configuration: JSON.Members
    let shapes: [String: [Int]]
  }

  let engine: Engine
  let modelType: String
  let base: any BaseModel
  private(set) var adapters: [String: Adapter] = [:]
  private(set) var heads: [String: NamedHead] = [:]
  private var fusions: [(name: String, members: [String], foreign: ForeignAdapter)] = []

  init(_ parityCase: Case, engine: Engine) throws {
    self.engine = engine
    let checkpoint = try Checkpoint(folder: parityCase.base)
    modelType = try checkpoint.configuration.string("model_type")
    base = try checkpoint.load(engine: engine)
    if parityCase.heads.contains("default"), let head = try CheckpointHead(checkpoint) {
      let loaded = try Heads.load(JSONObject(head.configuration), head.weights, shape: base.shape, engine: engine)
      heads["default"] = NamedHead(head: loaded, configuration: head.configuration, shapes: [:])
    }
    for (name, folder) in parityCase.adapters {
      let foreign = try AdapterHub.read(folder: folder)
      let configuration = JSONObject(foreign.configuration, path: "config")
      let method = try locating(folder) { try AdapterMethods.load(configuration, StoredWeights(foreign.weights), shape: base.shape, engine: engine) }
      adapters[name] = Adapter(method: method, configuration: foreign.configuration, shapes: Self.shapes(foreign.weights))
      try addHead(of: foreign, renaming: foreign.name, to: name)
    }
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
  }

  private mutating func addHead(of foreign: ForeignAdapter, renaming old: String, to new: String) throws {
    guard let head = foreign.head else { return }
    let loaded = try Heads.load(JSONObject(head.configuration, path: "config"), StoredWeights(head.weights), shape: base.shape, engine: engine)
    heads[head.name == old ? new : head.name] = NamedHead(head: loaded, configuration: head.configuration, shapes: Self.shapes(head.weights))
  }

  private static func shapes(_ tensors: [StoredTensor]) -> [String: [Int]] {
    Dictionary(tensors.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
  }

  func setup(_ composition: Composition) throws -> Setup {
    try Setup(composition) { adapters[$0]?.method } fusion: { members, name, sites in
      let wanted = name ?? members.joined(separator: ",")
      guard let fusion = fusions.first(where: { $0.name == wanted }) else { return nil }
      return try StoredWeights(fusion.foreign.weights).load(engine: engine) { weights in
        try AdapterFusion(configuration: JSONObject(fusion.foreign.configuration, path: "config"), sites: sites, shape: base.shape, weights: weights)
      }
    }
  }

  /// A parameter that a training case trains, by the name and in the shape that the Python library gives it.
  struct Trained {
    let name: String
    let shape: [Int]
    let parameter: Parameter
  }

  func trained(_ training: Case.Training) throws -> [Trained] {
    guard training.mode == "adapter" else { throw Failure(.unsupportedCase, "training a \(training.mode)") }
    var result: [Trained] = []
    for name in training.adapters {
      guard let adapter = adapters[name] else { continue }
      let frozen = Set(adapter.method.frozenParameters.map(ObjectIdentifier.init))
      for parameter in adapter.method.parameters where !frozen.contains(ObjectIdentifier(parameter)) {
        let stored = AdapterHubNames.stored(parameter.name, of: name, model: modelType, configuration: adapter.configuration)
        result.append(Trained(name: stored ?? parameter.name, shape: adapter.shapes[parameter.name] ?? [parameter.count], parameter: parameter))
      }
    }
    for (name, head) in heads.sorted(by: { $0.key < $1.key }) {
      let frozen = Set(head.head.frozenParameters.map(ObjectIdentifier.init))
      for parameter in head.head.parameters where !frozen.contains(ObjectIdentifier(parameter)) {
        let stored = AdapterHubNames.stored(
          parameter.name, of: name, model: modelType, configuration: JSON.Members(), headConfiguration: head.configuration)
        result.append(Trained(name: stored ?? parameter.name, shape: head.shapes[parameter.name] ?? [parameter.count], parameter: parameter))
      }
    }
    return result
  }
}
