import HubWords
import Dovetail
import Foundation
import HubAdapters
import HubBundle
import HubTensor
import HubTokenizers
import HubTraining
import HubTransformer
import HubWeights

/// Adds a method, a head with its own kind of answer and a block to Dovetail; trains the method, packs it, and runs it
/// like any other.
///
///     swift run CustomMethod path/to/model
@main
struct CustomMethod {
  private static let reviews = [
    ("the camera is great", 1), ("a wonderful little phone", 1), ("works perfectly , I love it", 1),
    ("excellent sound and a bright screen", 1),
    ("it stopped working after a week", 0), ("a terrible waste of money", 0), ("the screen is awful", 0),
    ("it broke , I hate it", 0),
  ]
  private static let config: JSON.Members = ["architecture": "ssf"]
  private static let headConfig: JSON.Members = ["head_type": "mean_rating"]

  static func main() throws {
    guard CommandLine.arguments.count == 2 else { return print("usage: CustomMethod MODEL_FOLDER") }
    try AdapterMethods.register(ScaleAndShift.self)
    try Heads.register(MeanHead.self)
    try Answers.register(Rating.self)
    try MixingBlocks.register(Interpolation.self)

    let scratch = FileManager.default.temporaryDirectory.appending(path: "custom-method-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let hub = try Hub(registry: scratch + "/registry")
    try hub.addBaseModel(folder: CommandLine.arguments[1], as: AdapterName("base"))
    let base = try hub.baseModel("base")
    for (name, steps) in [("fresh", 0), ("trained", 12)] {
      try hub.install(from: bundle(name, trainedFor: steps, on: base, in: scratch))
    }

    let model = try hub.compose(
      Composition(parsing: "stack(fresh, interpolate(fresh, trained, at=0.9))"), on: base, head: "trained")
    for answer in try model.predict(reviews.map { .text($0.0) }) { print(JSON.object(try answer.get().json).text()) }
  }

  /// - Returns: the folder of the bundle
  private static func bundle(_ name: String, trainedFor steps: Int, on base: Base, in scratch: String) throws -> String
  {
    let fresh = ParameterSource(FreshParameters(seed: 1, engine: base.engine)), shape = base.model.shape
    let adapter = try ScaleAndShift(configuration: JSONObject(config), shape: shape, weights: fresh)
    let head = try MeanHead(configuration: JSONObject(headConfig), shape: shape, weights: fresh)
    try train(adapter, head, steps, on: base)
    let manifest = Manifest(name: try AdapterName(name), kind: .task, method: "ssf", base: base.identity)
    let builder = BundleBuilder(
      manifest: manifest, config: .object(config), weights: try StoredWeights(of: adapter.parameters).ordered,
      head: StoredModule(configuration: headConfig, weights: try StoredWeights(of: head.parameters).ordered))
    return try builder.write(to: "\(scratch)/\(name)").folder
  }

  private static func train(_ adapter: ScaleAndShift, _ head: MeanHead, _ steps: Int, on base: Base) throws {
    let encodings = try reviews.map { try base.tokenizer.encode($0.0, pair: nil, maxLength: nil) }
    let tokens = TokenBatch(encodings.map { (ids: $0.ids.map(Int.init), typeIDs: $0.typeIDs.map(Int.init)) })
    let setup = try Setup("adapter") { _ in
      adapter
    } fusion: { _, _, _ in
      nil
    }
    let model = TrainingModel(base: base.model, setup: setup, heads: [head])
    let batch = TrainingBatch(tokens, [.classes(reviews.map(\.1))])
    var learner = Learner(
      TrainedParameter.named(adapter.parameters) + TrainedParameter.named(head.parameters, prefix: "head."),
      AdamW(learningRate: 1e-2))
    for _ in 0..<steps { _ = try learner.step([batch], on: base.engine, loss: model.loss) }
  }
}
