import Foundation
import HubAdapters
import HubModels
import HubTensor
import HubTesting
import HubTraining
import HubTransformer
import HubWords
import Testing

/// A base that tells tokens apart: everything is spread around its start.
private struct Spread: ParameterProvider {
  let engine: Engine

  func has(_ name: String) -> Bool { true }

  func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    try FreshParameters(seed: 5, engine: engine).parameter(
      name, shape, initially: initial == .ones ? .ones : .normal(deviation: 0.3))
  }
}

@Suite struct TrainerTests {
  /// A small model, and sentences whose label is whether they hold the token 5.
  private struct Workbench {
    let engine: Engine
    let trainer: Trainer
    let parameters: [Parameter]

    init(
      threads: Int = 1, seed: UInt64 = 1, rate: Float = 2e-3, change: (inout TrainingOptions) -> Void = { _ in }
    ) throws {
      engine = Engine(kernels: Kernels.available[0], threads: threads)
      let fresh = ParameterSource(FreshParameters(seed: 5, engine: engine))
      let model: JSON.Members = [
        "model_type": "bert", "vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 16, "type_vocab_size": 2, "hidden_act": "gelu",
      ]
      let base = try BERT(.bert, configuration: JSONObject(model), weights: ParameterSource(Spread(engine: engine)))
      let configuration: JSON.Members = [
        "mh_adapter": true, "output_adapter": true, "reduction_factor": 2, "non_linearity": "relu", "dropout": 0.1,
      ]
      let adapter = try Bottleneck(
        configuration: JSONObject(configuration), shape: base.shape, weights: fresh["adapter"])
      let headConfiguration: JSON.Members = [
        "head_type": "classification", "num_labels": 2, "layers": 2, "activation_function": "tanh",
        "dropout_prob": 0.1,
      ]
      let head = try ClassificationHead(
        configuration: JSONObject(headConfiguration), shape: base.shape, weights: fresh["head"])
      let setup = try Setup("a") { _ in
        adapter
      } fusion: { _, _, _ in
        nil
      }
      var generator = Randomness(seed: 9).generator(for: 0)
      let examples = (0..<60).map { index in
        let words = (0..<Int.random(in: 2...9, using: &generator)).map { _ in
          Int.random(in: 6..<20, using: &generator)
        }
        let ids = [1] + words + (index % 2 == 0 ? [5, 5, 5, 5] : []) + [2]
        return TrainingExample([(ids, ids.map { _ in 0 })], .label(index % 2))
      }
      var options = TrainingOptions()
      options.epochs = 6
      options.batch = .tokens(40)
      options.metric = "accuracy"
      options.evaluationInterval = 7
      options.seed = seed
      change(&options)
      parameters = adapter.parameters + head.parameters
      trainer = Trainer(
        TrainingModel(base: base, setup: setup, heads: [head]),
        TrainedParameter.named(adapter.parameters, prefix: "adapter.")
          + TrainedParameter.named(head.parameters, prefix: "head."),
        AdamW(learningRate: rate), schedule: { Schedule(.linear, warmupSteps: 5, totalSteps: $0) }, maximumNorm: 1,
        examples: Array(examples[..<48]), development: Array(examples[48...]), options: options, on: engine)
    }

    var values: [[Float]] { parameters.map(\.value.values) }
  }

  @Test func learnsWhatItIsTaught() throws {
    let bench = try Workbench(rate: 1e-2) { $0.epochs = 30 }
    #expect(try bench.trainer.run() == .finished)
    let best = try #require(bench.trainer.best?.figures["accuracy"]?.number)
    #expect(best >= 0.9, "\(bench.trainer.evaluations)")
  }

  @Test func threadsChangeNothingAndSeedsDo() throws {
    let first = try Workbench(), second = try Workbench(threads: 3), third = try Workbench(seed: 2)
    for bench in [first, second, third] { #expect(try bench.trainer.run() == .finished) }
    #expect(first.values == second.values)
    #expect(first.values != third.values)
  }

  /// A run that is interrupted after any step goes on as if it had not been.
  @Test func goesOnFromAnyStep() throws {
    let whole = try Workbench()
    #expect(try whole.trainer.run() == .finished)
    whole.trainer.keepBest()
    let scratch = try Scratch()
    for stop in [1, 6, 7, 8, 20, 31] {
      let checkpoint = TrainingCheckpoint(path: scratch("run-\(stop)"), identity: "a")
      let interrupted = try Workbench()
      #expect(
        try interrupted.trainer.run(
          checkpoint: checkpoint, shouldStop: { interrupted.trainer.learner.steps == stop }) == .interrupted)
      let resumed = try Workbench()
      try resumed.trainer.resume(from: checkpoint)
      #expect(resumed.trainer.learner.steps == stop)
      #expect(try resumed.trainer.run() == .finished)
      resumed.trainer.keepBest()
      #expect(resumed.values == whole.values, "after step \(stop)")
      #expect(resumed.trainer.evaluations == whole.trainer.evaluations)
      #expect(resumed.trainer.best == whole.trainer.best)
    }
  }

  @Test func aCheckpointOfAnotherRunIsRefused() throws {
    let scratch = try Scratch(), path = scratch("run"), bench = try Workbench()
    _ = try bench.trainer.run(checkpoint: TrainingCheckpoint(path: path, identity: "a"), shouldStop: { true })
    #expect {
      try bench.trainer.resume(from: TrainingCheckpoint(path: path, identity: "b"))
    } throws: { ($0 as? Failure)?.code == .foreignCheckpoint }
  }

  @Test func endsWhenNothingIsGained() throws {
    let bench = try Workbench(rate: 0) { $0.patience = 2 }
    #expect(try bench.trainer.run() == .stoppedEarly)
    #expect(bench.trainer.learner.steps == 21 && bench.trainer.evaluations.count == 3)
  }

  @Test func aLossThatIsNotFiniteIsNamedAndKeepsTheWeights() throws {
    let bench = try Workbench()
    let context = Context(bench.engine)
    bench.parameters[0].update(in: context) { $0[0] = .nan }
    let before = bench.parameters[1].value.values
    #expect { try bench.trainer.run() } throws: { error in
      let failure = error as? Failure
      return failure?.code == .divergence && failure?.subject?.hasPrefix("step 1") == true
    }
    #expect(bench.parameters[1].value.values == before)
  }
}
