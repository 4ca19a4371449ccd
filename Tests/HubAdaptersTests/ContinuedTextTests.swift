import HubAdapters
import HubModels
import HubTensor
import HubTransformer
import HubWords
import Testing

/// A method that does not look at whole texts comes to the same when a text is read token by token.
@Suite struct ContinuedTextTests {
  private static let configuration: JSON.Members = [
    "model_type": "gpt2", "vocab_size": 12, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_inner": 12, "n_positions": 16,
  ]

  @Test(arguments: methods.map(\.name))
  func goesOnWhereItStopped(name: String) throws {
    let model = try TinyModel(), context = Context(model.engine)
    let adapter = try model.adapter(#require(methods.first { $0.name == name }).configuration, seed: 3)
    guard !adapter.looksAtWholeTexts, adapter.promptAdapter == nil else { return }
    let decoder = try GPT2(
      .gpt2, configuration: JSONObject(Self.configuration),
      weights: ParameterSource(Spread(seed: 1, engine: model.engine)))
    let setup = try model.setup("a", ["a": adapter]), text = [1, 5, 9, 2, 7, 3]
    func read(_ tokens: [Int], from start: Int, _ cache: KeyValueCache?) throws -> Tensor {
      let batch = TokenBatch([tokens], starts: [start])
      return try decoder(
        batch, continuing: cache, with: ComposedAdapters(setup, for: batch.sequences), in: context)
    }
    let whole = try read(text, from: 0, nil), cache = KeyValueCache(sequences: 1)
    _ = try read(Array(text.prefix(3)), from: 0, cache)
    for index in 3..<text.count {
      let next = try read([text[index]], from: index, cache)
      let difference = zip(next.values, whole.row(index)).map { abs($0 - $1) }.max() ?? .infinity
      #expect(difference < 5e-5, "\(name), token \(index)")
    }
  }

  @Test func gatesLookAtWholeTexts() throws {
    let model = try TinyModel()
    for (gated, expected) in [(JSON.bool(true), true), (false, false)] {
      let lora: JSON.Members = ["architecture": "lora", "r": 2, "use_gating": gated]
      #expect(try model.adapter(lora, seed: 1).looksAtWholeTexts == expected)
    }
    for name in ["loreft", "pal", "k_adapter"] {
      guard let configuration = methods.first(where: { $0.name == name })?.configuration else { continue }
      #expect(try model.adapter(configuration, seed: 1).looksAtWholeTexts, "\(name)")
    }
  }
}
