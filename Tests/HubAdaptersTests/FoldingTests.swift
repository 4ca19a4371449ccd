import HubModels
import HubAdapters
import HubWords
import HubTensor
import HubTransformer
import HubWeights
import Testing

@Suite struct FoldingTests {
  /// The weights of the tiny model as a checkpoint holds them.
  private func stored(_ model: TinyModel) throws -> StoredWeights {
    let schema = SchemaParameters(), spread = Spread(seed: 1, engine: model.engine)
    _ = try BERT(.bert, configuration: JSONObject(TinyModel.configuration), weights: ParameterSource(schema))
    return StoredWeights(
      try schema.entries.map { entry in
        let initial: Initializer = entry.name.hasSuffix("LayerNorm.weight") ? .ones : .zeros
        return try StoredTensor(
          name: entry.name, shape: entry.shape,
          floats: spread.parameter(entry.name, entry.shape, initially: initial).value.values)
      })
  }

  private func base(_ weights: StoredWeights, _ model: TinyModel) throws -> BERT {
    try weights.load(engine: model.engine) {
      try BERT(.bert, configuration: JSONObject(TinyModel.configuration), weights: $0)
    }
  }

  @Test(arguments: ["lora", "lora everywhere", "vera", "ia3", "dora", "dvora"])
  func aFoldedAdapterDoesWhatItDid(name: String) throws {
    let model = try TinyModel(), context = Context(model.engine), weights = try stored(model)
    let configuration = try #require(linears.first { $0.name == name }).configuration
    let adapter = try #require(model.adapter(configuration, seed: 3) as? LoRA)
    let unfolded = try base(weights, model)(
      model.tokens, with: ComposedAdapters(model.setup("a", ["a": adapter]), for: model.tokens.sequences), in: context)
    let folded = try base(adapter.folded(into: weights, of: .bert, in: context), model)(
      model.tokens, with: NoInterventions(), in: context)
    #expect(zip(folded.values, unfolded.values).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(try folded.values != base(weights, model)(model.tokens, with: NoInterventions(), in: context).values)
  }

  @Test func gatesCannotBeFolded() throws {
    let model = try TinyModel(), adapter = try #require(try model.adapter(linears[2].configuration, seed: 3) as? LoRA)
    #expect { try adapter.folded(into: stored(model), of: .bert, in: Context(model.engine)) } throws: {
      ($0 as? Failure)?.code == .unfoldableAdapter
    }
  }
}
