import HubAdapters
import HubModels
import HubTensor
import HubTraining
import HubTransformer
import HubWeights
import HubWords
import Testing

/// Spread around its start, orthogonal matrices aside: these are zero where their diagonal is not whole.
private struct Start: ParameterProvider {
  let engine: Engine

  func has(_ name: String) -> Bool { true }

  func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    let source: any ParameterProvider =
      if case .diagonal = initial { FreshParameters(seed: 3, engine: engine) } else { Spread(seed: 3, engine: engine) }
    return try source.parameter(name, shape, initially: initial)
  }
}

/// Every method learns with every head on every family: one small step along the gradient makes the loss smaller by as
/// much as the gradient says. All three are drawn from the lists.
@Suite struct TrainingStepTests {
  /// Embeddings are narrower than layers where a family allows it.
  private static let families = ModelFamilies.all.filter { family in
    BaseModels.all.contains { $0.families.contains { $0.modelType == family.modelType } }
      && family.heads.contains { $0.task == "ForMaskedLM" }
  }

  private static let engine = Engine(kernels: Kernels.available[0], threads: 1)

  private static func base(_ family: ModelFamily) throws -> any BaseModel {
    let keys = family.keys
    var c: JSON.Members = [
      "model_type": .string(family.modelType), "vocab_size": 12, "embedding_size": 6, "max_position_embeddings": 16,
      "pad_token_id": 0,
    ]
    (c[keys.hiddenSize], c[keys.layers], c[keys.heads]) = (8, 2, 2)
    (c[keys.intermediateSize], c[keys.activation]) = (12, "gelu")
    if let types = keys.tokenTypes { c[types] = 2 }
    if family.defaults["embedding_size"] == nil { c["embedding_size"] = 8 }
    if family.modelType == "xmod" { c["languages"] = ["en_XX"] }
    return try BaseModels.model(JSONObject(c), from: ParameterSource(Spread(seed: 1, engine: engine)))
  }

  private static func head(_ type: any Head.Type, _ name: String, on base: any BaseModel) throws -> any Head {
    let c: JSON.Members = [
      "head_type": .string(name), "num_labels": type.types.contains("question_answering") ? 2 : 3, "num_choices": 2,
      "vocab_size": 12, "embedding_size": .integer(base.shape.embeddingSize), "arc_size": 4, "relation_size": 3,
      "languages": ["de"], "language": "de", "language_size": 3,
    ]
    return try type.init(
      configuration: JSONObject(c), shape: base.shape, weights: ParameterSource(Spread(seed: 4, engine: engine)))
  }

  private static func batch(for answer: HeadAnswer) -> TrainingBatch {
    let tokens = TokenBatch([
      (ids: [1, 5, 9, 2], typeIDs: [0, 0, 1, 1]), (ids: [1, 7, 2], typeIDs: [0, 0, 0]),
    ])
    let targets: HeadTargets =
      switch answer {
      case .number: .values([0.5, -1])
      case .labels: .sets([[0, 2], []])
      case .choice: .classes([1])
      case .span: .spans([(start: 1, end: 2), (start: 0, end: 0)], of: tokens.sequences)
      case .tree: .trees([[(head: 0, relation: 1), (head: 1, relation: 2)], [(head: 0, relation: 0)]])
      case .tokenLabel, .word: .classes([nil, 2, 0, nil, nil, 1, nil])
      default: .classes([2, 0])
      }
    return TrainingBatch(tokens, [targets], words: [[1..<2, 2..<3], [1..<2]])
  }

  @Test(arguments: families.map(\.modelType), methods.map(\.name))
  func everyMethodLearnsWithEveryHead(family: String, method: String) throws {
    let base = try Self.base(#require(Self.families.first { $0.modelType == family }))
    let configuration = JSONObject(try #require(methods.first { $0.name == method }).configuration)
    for type in Heads.all {
      for name in type.types where !name.hasPrefix("test") && !name.hasPrefix("udapter") {
        let adapter = try AdapterMethods.type(for: configuration).init(
          configuration: configuration, shape: base.shape,
          weights: ParameterSource(Start(engine: Self.engine)))
        let head = try Self.head(type, name, on: base)
        let setup = try Setup("a") { _ in
          adapter
        } fusion: { _, _, _ in
          nil
        }
        // A language model undoes what an adapter did to the embeddings, in their width.
        if setup.inverting != nil, ["causal_lm", "seq2seq_lm"].contains(name),
          base.shape.embeddingSize != base.shape.hiddenSize
        {
          continue
        }
        try expectGain(
          TrainingModel(base: base, setup: setup, heads: [head]), trained: adapter.parameters + head.parameters,
          frozen: adapter.frozenParameters + head.frozenParameters, "\(method), \(name), \(family)")
      }
    }
  }

  private func expectGain(
    _ model: TrainingModel, trained: [Parameter], frozen: [Parameter], _ what: String
  ) throws {
    let frozen = Set(frozen.map(ObjectIdentifier.init))
    let parameters = trained.filter { !frozen.contains(ObjectIdentifier($0)) }.enumerated().map {
      TrainedParameter("\($0)", $1)
    }
    let batch = Self.batch(for: model.heads[0].answer)
    func loss() throws -> Double { Double(try model.loss(batch, in: Context(Self.engine)).value.values[0]) }
    let before = try loss()
    // The gradient first, then a step whose length suits it.
    var probe = Learner(parameters, SGD(learningRate: 0))
    let norm = try probe.step([batch], on: Self.engine, loss: model.loss).gradientNorm
    #expect(norm > 1e-4, "\(what): nothing is learned")
    let rate = min(2e-3 / (norm * norm), 4e-3 / norm)
    var learner = Learner(parameters, SGD(learningRate: Float(rate)))
    let report = try learner.step([batch], on: Self.engine, loss: model.loss)
    #expect(abs(report.loss - before) < 1e-5, "\(what): recorded or not, the loss is the same")
    let gain = try before - loss(), expected = rate * norm * norm
    #expect(abs(gain - expected) < 0.25 * expected + 4e-6, "\(what): the loss fell by \(gain), not by \(expected)")
  }
}
