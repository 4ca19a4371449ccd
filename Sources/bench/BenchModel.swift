import HubAdapters
import HubForeign
import HubWords
import HubTensor
import HubTraining
import HubTransformer
import HubWeights

/// A base model and the folder of its adapters.
struct BenchModel {
  let folder: String
  let engine: Engine
  let base: any BaseModel

  init(
    folder: String, engine: Engine, precision: Precision,
    prepare: (Checkpoint, any BaseModel, Context) -> Void = { $1.prepare(in: $2) }
  ) throws {
    self.folder = folder
    self.engine = engine
    let checkpoint = try Checkpoint(folder: "\(folder)/base")
    base = try checkpoint.load(engine: engine)
    prepare(checkpoint, base, Context(engine, precision: precision))
  }

  /// A workload with its adapters loaded.
  func prepared(_ workload: Workload) throws -> PreparedWorkload {
    let tokens = TokenBatch(workload.lengths.map { (ids: Self.ids($0), typeIDs: [Int](repeating: 0, count: $0)) })
    let library = Library(folder: "\(folder)/adapters")
    let setup = try workload.composition.map { try self.setup($0, library) }
    let heads = try workload.heads.compactMap { try head($0, library) }
    var learner: Learner?
    if let name = workload.trained {
      let own = TrainedParameter.named(library.methods[name]?.parameters ?? [])
      let ofHeads = TrainedParameter.named(heads.flatMap { $0.parameters }, prefix: "head.")
      learner = Learner(own + ofHeads, AdamW(learningRate: 1e-4))
    }
    return PreparedWorkload(model: self, tokens: tokens, setup: setup, heads: heads, learner: learner)
  }

  private static func ids(_ length: Int) -> [Int] {
    [0] + (0..<max(0, length - 2)).map { 10 + $0 * 7919 % 19_000 } + (length > 1 ? [2] : [])
  }

  /// The adapters of a folder, each read once.
  private final class Library {
    private let folder: String
    private var adapters: [String: ForeignAdapter] = [:]
    /// Those that a setup has loaded.
    var methods: [String: any AdapterMethod] = [:]

    init(folder: String) { self.folder = folder }

    func adapter(_ name: String) throws -> ForeignAdapter {
      if let known = adapters[name] { return known }
      let adapter = try AdapterHub.read(folder: "\(folder)/\(name)")
      adapters[name] = adapter
      return adapter
    }
  }

  private func setup(_ composition: Composition, _ library: Library) throws -> Setup {
    try Setup(composition) { name in
      if let method = MethodCatalogue.all.first(where: { "fresh/\($0.name)" == name }) {
        return try method.adapter(for: base.shape, engine: engine)
      }
      let adapter = try library.adapter(name)
      let method = try AdapterMethods.load(
        JSONObject(adapter.configuration), StoredWeights(adapter.weights), shape: base.shape, engine: engine)
      library.methods[name] = method
      return method
    } fusion: { _, _, sites in
      let fusion = try library.adapter("fusion0")
      return try StoredWeights(fusion.weights).load(engine: engine) {
        try AdapterFusion(configuration: JSONObject(fusion.configuration), sites: sites, shape: base.shape, weights: $0)
      }
    }
  }

  private func head(_ name: String, _ library: Library) throws -> (any Head)? {
    try library.adapter(name).head.map {
      try Heads.load(JSONObject($0.configuration), StoredWeights($0.weights), shape: base.shape, engine: engine)
    }
  }
}

/// Everything that one pass needs.
final class PreparedWorkload {
  private let model: BenchModel
  private let tokens: TokenBatch
  private let setup: Setup?
  private let heads: [any Head]
  /// What trains, where something does.
  private var learner: Learner?

  init(model: BenchModel, tokens: TokenBatch, setup: Setup?, heads: [any Head], learner: Learner? = nil) {
    (self.model, self.tokens, self.setup, self.heads, self.learner) = (model, tokens, setup, heads, learner)
  }

  /// A pass, or a step of training.
  func run() throws {
    guard learner != nil else { return try pass() }
    let batch = TrainingBatch(tokens, [.classes(Array(repeating: 0, count: tokens.sequences.count))])
    let model = TrainingModel(base: model.base, setup: setup, heads: heads), step = learner?.steps ?? 0
    _ = try learner?.step(
      [batch], on: self.model.engine, randomness: { _ in Randomness(seed: 1, pass: step) },
      loss: { [heads] batch, context in
        guard heads.isEmpty else { return try model.loss(batch, in: context) }
        // The mean of the squares, as the peers have it.
        let hidden = try model.states(batch, in: context),
          row = context.reshaped(hidden, rows: 1, columns: hidden.count)
        return BatchLoss(context.scaled(context.product(row, row, transposing: true), by: 1 / Float(hidden.count)))
      })
  }

  private func pass() throws {
    let context = Context(model.engine)
    let hidden =
      if let setup { try model.base(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: context) } else {
        try model.base(tokens, with: NoInterventions(), in: context)
      }
    // Several heads share the rows equally: the branches of a parallel, or the parts of a batch.
    let all = tokens.sequences.repeated(hidden.rows / tokens.sequences.rows)
    for (index, head) in heads.enumerated() {
      let part = all.count * index / heads.count..<all.count * (index + 1) / heads.count
      let rows = all.offsets[part.lowerBound]..<all.offsets[part.upperBound]
      _ = try head(
        context.rows(hidden, rows), Sequences(lengths: part.map { all[$0].count }), base: model.base, in: context)
    }
  }
}
