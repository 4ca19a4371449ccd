import HubModels
import HubWords
import HubTensor
import HubTransformer
import HubWeights
import Testing

@Suite struct BaseModelTests {
  private let engine = Engine(kernels: Kernels.available[0], threads: 2)

  private static let configuration: JSON.Members = [
    "model_type": "roberta", "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 10, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5,
  ]

  private func model(_ changes: JSON.Members = [:]) throws -> any BaseModel {
    let c = JSONObject(Self.configuration.with(changes))
    return try BaseModels.model(c, from: ParameterSource(FreshParameters(seed: 3, engine: engine)))
  }

  private func hidden(_ model: any BaseModel, _ rows: [[Int]]) throws -> Tensor {
    try model(
      TokenBatch(rows.map { (ids: $0, typeIDs: $0.map { _ in 0 }) }), with: NoInterventions(), in: Context(engine))
  }

  @Test func aSequenceDoesNotSeeItsNeighbours() throws {
    for type in ["bert", "roberta"] {
      let model = try model(["model_type": .string(type)])
      let together = try hidden(model, [[0, 5, 6, 2], [0, 7, 2]])
      #expect(together.values == (try hidden(model, [[0, 5, 6, 2]])).values + (try hidden(model, [[0, 7, 2]])).values)
    }
  }

  @Test func theSchemaListsEveryTensor() throws {
    let schema = SchemaParameters()
    _ = try RoBERTa(.roberta, configuration: JSONObject(Self.configuration), weights: ParameterSource(schema))
    #expect(schema.entries.count == 5 + 16 + 2)
    #expect(
      schema.entries.first?.name == "embeddings.word_embeddings.weight" && schema.entries.first?.shape == [20, 8])
    #expect(schema.parameterCount == (20 + 10 + 1 + 2) * 8 + 4 * 72 + 2 * 16 + (12 * 8 + 12) + (8 * 12 + 8) + 72)
  }

  @Test func tokensThatTheModelDoesNotHaveAreRefused() throws {
    let model = try model()
    #expect(model.maximumLength == 8)
    _ = try hidden(model, [Array(repeating: 5, count: 8)])
    for row in [[20], [-1], Array(repeating: 5, count: 9)] {
      #expect { try hidden(model, [row]) } throws: { ($0 as? Failure)?.code == .invalidTokens }
    }
  }

  @Test(
    arguments: [
      ("hidden_size", 0), ("num_attention_heads", 3), ("num_hidden_layers", 1_000_000), ("vocab_size", -5),
      ("pad_token_id", 11), ("hidden_act", "abs"),
      ("model_type", "t9"), ("position_embedding_type", "relative_key"), ("is_decoder", true), ("vocab_size", "many"),
      ("max_position_embeddings", 1.5),
    ] as [(String, JSON)])
  func configurationsThatMakeNoSenseAreRefused(key: String, value: JSON) {
    #expect(throws: Failure.self) { try model([key: value]) }
  }

  @Test func freshWeightsDependOnSeedAndNameOnly() throws {
    let source = ParameterSource(FreshParameters(seed: 1, engine: engine))
    let a = try source["x"].parameter("weight", [3, 4], initially: .normal(deviation: 1)).value.values
    _ = try source.parameter("other", [2], initially: .normal(deviation: 1))
    #expect(try source["x"].parameter("weight", [3, 4], initially: .normal(deviation: 1)).value.values == a)
    #expect(try source["y"].parameter("weight", [3, 4], initially: .normal(deviation: 1)).value.values != a)
    #expect(try source.parameter("i", [2, 2], initially: .identity(rest: 0.5)).value.values == [1, 0.5, 0.5, 1])
    let uniform = try source.parameter("u", [50, 24], initially: .kaimingUniform(a: 0)).value.values
    #expect(uniform.allSatisfy { abs($0) <= 0.5 } && uniform.contains { abs($0) > 0.45 })
  }

  @Test func oneReportNamesEverythingThatDoesNotFit() throws {
    let schema = SchemaParameters()
    let source = ParameterSource(schema)
    _ = try source.parameter("a", [2])
    _ = try source.parameter("b", [2])
    _ = try source.parameter("c", [2, 3])
    try schema.check(against: ["a": [2], "b": [2], "c": [2, 3]])
    let failure = try #require(throws: Failure.self) {
      try schema.check(against: ["a": [2], "c": [3, 2], "d": [1], "e": [1]])
    }
    #expect(
      failure.message
        == "the weights do not fit: c has the wrong shape: [3, 2] instead of [2, 3]; b is missing; nothing consumes d and 1 more"
    )
    #expect(failure.subject == "c")
  }
}
