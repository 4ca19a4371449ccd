import Dovetail
import HubAdapters
import HubModels
import HubTensor
import HubTokenizers
import HubTraining
import HubTransformer
import HubWords

/// Trains an adapter with a loss of its own, R-Drop (Liang et al. 2021): a text is read twice, each time with other
/// values dropped, and what the head says the one time must agree with what it says the other time.
///
///     swift run TrainAdapter minilm
@main
struct TrainAdapter {
  private static let reviews: [(text: String, label: Int)] = [
    ("the camera is great", 1), ("it stopped working after a week", 0), ("sharp pictures and a fine screen", 1),
    ("the battery is a disappointment", 0), ("easy to use, and light", 1), ("a waste of money", 0),
  ]

  static func main() throws {
    guard CommandLine.arguments.count == 2 else { return print("usage: TrainAdapter MODEL") }
    let base = try Hub().baseModel(CommandLine.arguments[1]), shape = base.model.shape
    guard let method = MethodCatalogue.all.first(where: { $0.name == "seq_bn" }) else { return }
    let adapter = try method.adapter(for: shape, engine: base.engine)
    let options: JSON.Members = ["head_type": "classification", "num_labels": 2, "dropout_prob": 0.1]
    let head = try ClassificationHead(
      configuration: JSONObject(options), shape: shape,
      weights: ParameterSource(FreshParameters(seed: 2, engine: base.engine)))
    let setup = try Setup("adapter") { _ in
      adapter
    } fusion: { _, _, _ in
      nil
    }
    let encodings = try reviews.map { try base.tokenizer.encode($0.text) }
    let tokens = TokenBatch(encodings.map { (ids: $0.ids.map(Int.init), typeIDs: $0.typeIDs.map(Int.init)) })
    let batch = TrainingBatch(tokens, [.classes(reviews.map(\.label))])
    let model = TrainingModel(base: base.model, setup: setup, heads: [head])

    var learner = Learner(
      TrainedParameter.named(adapter.parameters) + TrainedParameter.named(head.parameters, prefix: "head."),
      AdamW(learningRate: 3e-3), schedule: Schedule(.linear, warmupSteps: 3, totalSteps: 30), maximumNorm: 1)
    for step in 0..<30 {
      let report = try learner.step(
        [batch], on: base.engine, randomness: { _ in Randomness(seed: 1, pass: step) },
        loss: { batch, context in
          let once = try logits(model, batch, context), again = try logits(model, batch, context)
          let labels = try [once, again].map { try head.loss($0, batch.targets[0], in: context) }
          let agreement = context.add(
            context.divergence(of: once, from: again), context.divergence(of: again, from: once))
          return BatchLoss(context.add(context.add(labels[0], labels[1]), agreement))
        })
      if step % 10 == 9 { print("step \(step + 1): loss \(report.loss)") }
    }
    let trained = ComposedModel(base: base, setup: setup, head: head)
    for text in ["a fine camera", "it broke"] { print(text, "-", try trained.classify(text).label) }
  }

  private static func logits(_ model: TrainingModel, _ batch: TrainingBatch, _ context: Context) throws -> Tensor {
    try model.heads[0](model.states(batch, in: context), batch.tokens.sequences, base: model.base, in: context)
  }
}
