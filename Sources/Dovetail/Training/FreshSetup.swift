import HubAdapters
import HubBundle
import HubModels
import HubRegistry
import HubTensor
import HubTransformer
import HubWords

/// What a recipe wants on its base: a fresh adapter or fusion, and what is installed already and lies below.
struct FreshSetup {
  /// All of it together; `nil` where the base itself learns.
  let setup: Setup?
  /// Of the adapter or the fusion.
  let configuration: JSON.Members
  /// What the method is called.
  let method: String
  /// The adapter's or the fusion's own weights, in the order of the file.
  let weights: [Parameter]
  /// Those that training leaves as they are.
  let frozen: [Parameter]
  let fusions: [AdapterFusion]
  /// Installed adapters that it is trained over, or fuses.
  let below: [InstalledAdapter]
  /// The members of a fusion.
  let members: [AdapterName]

  /// - Throws: ``Failure`` at the recipe's key: no such adapter or method, options that make no sense, a composition
  ///   that there is not.
  init(_ recipe: Recipe, _ hub: Hub, _ base: TrainingBase, _ engine: Engine) throws {
    guard let identity = base.identity else {
      (setup, configuration, method) = (nil, [:], "")
      (weights, frozen, fusions, below, members) = ([], [], [], [], [])
      return
    }
    let over = try recipe.text("over").map { text in
      try recipe.locating("over") { try hub.registry.expanded(Composition(parsing: text)).setup }
    }
    let fused = recipe.texts("fuse")
    if recipe.has("fuse"), fused.count < 2 { throw recipe.failure("fuse", "it takes two adapters to fuse") }
    func installed(_ names: [String], _ key: String) throws -> [InstalledAdapter] {
      try names.map { name in
        try recipe.locating(key) {
          let adapter = try hub.adapter(name)
          try adapter.manifest.base.checkFits(identity, allowingOtherWeights: false)
          return adapter
        }
      }
    }
    let members = try installed(fused, "fuse")
    below = try installed(over?.leaves ?? [], "over") + members
    self.members = members.map(\.name)
    let assembly = Assembly(
      registry: hub.registry, identity: identity, shape: base.model.shape, engine: engine, allowingOtherWeights: false)
    func stacked(_ own: Composition) -> Composition { over.map { .stack([$0, own]) } ?? own }
    let fresh = ParameterSource(FreshParameters(seed: recipe.seed(0), engine: engine)), shape = base.model.shape
    guard fused.isEmpty else {
      let options = Self.fusionOptions
      var fusions: [AdapterFusion] = []
      setup = try recipe.locating("fuse") {
        try assembly.setup(
          stacked(.fuse(fused.map(Composition.adapter), name: nil)),
          fusion: { _, sites in
            let fusion = try AdapterFusion(
              configuration: JSONObject(options), sites: sites, shape: shape, weights: fresh)
            fusions.append(fusion)
            return fusion
          })
      }
      (configuration, method, self.fusions, frozen) = (options, "fusion", fusions, [])
      weights = fusions.flatMap(\.parameters)
      return
    }
    let name = try recipe.required("name"), (options, method) = try Self.method(recipe, shape)
    let adapter = try recipe.locating("adapter") {
      try AdapterMethods.type(for: JSONObject(options)).init(
        configuration: JSONObject(options), shape: shape, weights: fresh)
    }
    setup = try recipe.locating(recipe.has("over") ? "over" : "adapter") {
      try assembly.setup(stacked(.adapter(name)), adapter: { $0 == name ? adapter : nil })
    }
    (configuration, self.method, fusions) = (options, method, [])
    (weights, frozen) = (adapter.parameters, adapter.frozenParameters)
  }

  /// AdapterHub's "dynamic" fusion.
  private static let fusionOptions: JSON.Members = [
    "key": true, "query": true, "value": true, "query_before_ln": false, "regularization": true,
    "residual_before": false, "temperature": false, "value_before_softmax": true, "value_initialized": true,
  ]

  /// A method of the catalogue, perhaps with options of its own.
  private static func method(_ recipe: Recipe, _ shape: ModelShape) throws -> (JSON.Members, String) {
    let mapping = recipe.mapping("adapter"), name = mapping?["method"]?.string ?? recipe.text("adapter") ?? "seq_bn"
    guard let method = MethodCatalogue.all.first(where: { $0.name == name }) else {
      let near = nearest(to: name, among: MethodCatalogue.all.filter(\.isTrainable).map(\.name))
      throw recipe.failure(
        "adapter", "there is no method \(name.debugDescription)",
        hint: near.isEmpty ? "hub methods lists them" : "did you mean \(near.joined(separator: ", or "))?")
    }
    guard method.isTrainable else {
      throw recipe.failure(
        "adapter", "\(name) can be run, but not trained", hint: "train it with PEFT, and install the result")
    }
    var configuration = method.configuration(for: shape)
    for entry in mapping?.entries ?? [] where entry.key != "method" { configuration[entry.key] = entry.value }
    return (configuration, name)
  }
}

extension Recipe {
  /// What the random values of one purpose begin with.
  func seed(_ purpose: UInt64) -> UInt64 { UInt64(integer("seed", 1)) &* 4 &+ purpose }

  /// Runs `body`; a ``Failure`` that leaves it stands at a key of the recipe.
  func locating<Result>(_ key: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let failure as Failure {
      throw self.failure(key, failure.message + (failure.subject.map { " (\($0))" } ?? ""), hint: failure.hint)
    }
  }
}
