import HubAdapters
import HubWords
import HubTensor
import HubTransformer
import Testing

/// Who gets which rows: a row's answer must be what it is alone.
@Suite struct RoutingTests {
  private let model: TinyModel
  private let adapters: [String: any AdapterMethod]

  init() throws {
    model = try TinyModel()
    let lora: JSON.Members = ["architecture": "lora", "r": 2, "alpha": 4, "attn_matrices": ["q", "v"]]
    adapters = [
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[4].configuration, seed: 4),
      "l": try model.adapter(lora, seed: 5), "m": try model.adapter(lora, seed: 6),
      "p": try model.adapter(["architecture": "prefix_tuning", "flat": true, "prefix_length": 2], seed: 7),
      "r": try model.adapter(
        [
          "architecture": "reft", "orthogonality": false, "layers": "all", "prefix_positions": 1, "suffix_positions": 0,
          "r": 2,
        ], seed: 8),
      "t": try model.adapter(["architecture": "prompt_tuning", "prompt_length": 2], seed: 9),
    ]
  }

  private func setup(_ text: String) throws -> Setup { try model.setup(Composition(parsing: text), adapters) }

  /// The rows of one of the two sequences, alone with a setup.
  private func alone(_ text: String, _ sequence: Int) throws -> [Float] {
    let range = model.tokens.sequences[sequence]
    let tokens = TokenBatch([(ids: Array(model.tokens.ids[range]), typeIDs: Array(model.tokens.typeIDs[range]))])
    return try model.base(tokens, with: ComposedAdapters(setup(text), for: tokens.sequences), in: Context(model.engine))
      .values
  }

  private func expectClose(_ got: [Float], _ expected: [Float], _ what: String) {
    #expect(got.count == expected.count)
    #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 2e-5 }, "\(what)")
  }

  @Test(
    arguments: ["a", "b", "l", "p", "r", "base", "stack(b, a)", "average(l, m)", "drop(1, a)"],
    ["a", "b", "m", "p", "r", "base", "stack(l, a)"])
  func requestsKnowNothingOfEachOther(first: String, second: String) throws {
    let together = try Setup(requests: [
      (first == "base" ? nil : setup(first), 1), (second == "base" ? nil : setup(second), 1),
    ])
    let rows = try model.hidden(together).values
    expectClose(rows, try alone(first, 0) + alone(second, 1), "\(first) beside \(second)")
  }

  @Test func whatMultipliesRowsOrMovesThemRunsByItself() throws {
    for text in ["parallel(a, b)", "t"] {
      let setup = try setup(text)
      #expect(!setup.sharesPasses)
      #expect(throws: Failure.self) { try Setup(requests: [(setup, 1), (nil, 1)]) }
    }
  }

  /// A block hands its rows to the input that its first adapter prepares, and these two prepare it alike.
  @Test(arguments: [
    "batch_split(base, a, sequences=[1, 1])", "batch_split(base, l, sequences=[1, 1])",
    "batch_split(base, r, sequences=[1, 1])",
  ])
  func rowsOfTheBaseTakeNoAdapter(text: String) throws {
    let rows = try model.hidden(setup(text)).values, first = try alone("base", 0)
    expectClose(Array(rows.prefix(first.count)), first, text)
    guard !text.contains(" r,") else { return }
    expectClose(Array(rows.dropFirst(first.count)), try alone(text.contains(" a,") ? "a" : "l", 1), text)
  }

  @Test func tasksChooseTheirAdapters() throws {
    let setup = try setup("multi_task(l, m)")
    let adapters = try ComposedAdapters(setup, for: model.tokens.sequences, tasks: [1, 0])
    let rows = try model.base(model.tokens, with: adapters, in: Context(model.engine)).values
    expectClose(rows, try alone("m", 0) + alone("l", 1), "tasks 1 and 0")
    #expect(throws: Failure.self) { try ComposedAdapters(setup, for: model.tokens.sequences, tasks: [0, 2]) }
    #expect(throws: Failure.self) { try ComposedAdapters(setup, for: model.tokens.sequences) }
  }

  @Test(arguments: ["a", "l", "p", "r", "stack(b, a)"])
  func droppedLayersRunWithoutAdapters(text: String) throws {
    let skipped = try ComposedAdapters(setup(text), for: model.tokens.sequences, skippedLayers: [0])
    let expected = try model.base(model.tokens, with: skipped, in: Context(model.engine)).values
    expectClose(try model.hidden(setup("drop(0, \(text))")).values, expected, text)
    expectClose(
      try model.hidden(setup("drop(0-1, \(text))")).values,
      try model.base(
        model.tokens, with: ComposedAdapters(setup(text), for: model.tokens.sequences, skippedLayers: [0, 1]),
        in: Context(model.engine)
      ).values, text)
  }

  @Test func anAdapterThatOnlySomeRowsHaveFeedsNoOther() throws {
    #expect { try setup("stack(batch_split(base, l, sequences=[1, 1]), m)") } throws: {
      ($0 as? Failure)?.code == .unsuitableBlock
    }
  }

  @Test func promptsLengthenTheSequences() throws {
    let setup = try setup("t"), lengths = (0..<2).map { setup.lengthened(model.tokens.sequences)[$0].count }
    #expect(lengths == [6, 5])
    #expect(try model.hidden(setup).rows == 11)
  }

  @Test func whatIsWrongIsShownWhereItStands() throws {
    let failure = #expect(throws: Failure.self) { try setup("stack(b, parallel(a, nobody))") }
    #expect(failure?.subject == "stack(b, parallel(a, nobody))\n                     ^")
  }
}
