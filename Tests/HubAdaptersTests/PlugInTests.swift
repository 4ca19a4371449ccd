import HubAdapters
import HubWords
import HubTensor
import HubModels
import HubTransformer
import HubWeights
import Testing

/// What a program outside this package can add. What is registered is so for all tests of the process.
@Suite struct PlugInTests {
  static let names = Set(LastTokenHead.types)

  private static let registered = Result {
    try AdapterMethods.register(Offset.self)
    try Heads.register(LastTokenHead.self)
    try MixingBlocks.register(Interpolation.self)
  }

  init() throws { try Self.registered.get() }

  @Test func aRegisteredMethodIsLoadedCheckedAndComposed() throws {
    let model = try TinyModel(), configuration = JSONObject(["architecture": "test_offset"] as JSON.Members)
    let tensors = try (0..<2).map {
      try StoredTensor(name: "layers.\($0).layer.offset", shape: [8], floats: (0..<8).map { Float($0) / 8 })
    }
    let adapter = try AdapterMethods.load(
      configuration, StoredWeights(tensors), shape: model.base.shape, engine: model.engine)
    // Twice after the last layer, and nowhere else.
    let twice = try model.hidden(model.setup(.drop(.stack("a", "a"), layers: [0]), ["a": adapter]))
    let expected = try model.hidden(nil).values.enumerated().map { $1 + 2 * Float($0 % 8) / 8 }
    #expect(zip(twice.values, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect {
      try AdapterMethods.load(configuration, StoredWeights([tensors[0]]), shape: model.base.shape, engine: model.engine)
    } throws: {
      ($0 as? Failure)?.code == .unfittingWeights
    }
    #expect(AdapterMethods.all.contains { $0 == Offset.self })
  }

  @Test func aRegisteredHeadIsLoadedAndAnswers() throws {
    let model = try TinyModel(), hidden = try model.hidden(nil)
    let weights = [
      try StoredTensor(name: "out.weight", shape: [2, 8], floats: (0..<16).map { $0 == 3 || $0 == 12 ? 1 : 0 })
    ]
    let head = try Heads.load(
      JSONObject(["head_type": "test_last_token"] as JSON.Members), StoredWeights(weights), shape: model.base.shape,
      engine: model.engine)
    let logits = try head(hidden, model.tokens.sequences, base: model.base, in: Context(model.engine))
    #expect(logits.values == [hidden.row(3)[3], hidden.row(3)[4], hidden.row(6)[3], hidden.row(6)[4]])
  }

  @Test func namesAreTakenOnce() {
    for register in [
      { try AdapterMethods.register(Offset.self) }, { try AdapterMethods.register(SecondLoRA.self) },
      { try Heads.register(LastTokenHead.self) },
      { try Heads.register(SecondTaggingHead.self) }, { try MixingBlocks.register(Interpolation.self) },
      { try MixingBlocks.register(Named<BatchSplit>.self) }, { try MixingBlocks.register(Named<Base>.self) },
      { try MixingBlocks.register(Named<Bracket>.self) }, { try MixingBlocks.register(Named<Nothing>.self) },
    ] {
      #expect { try register() } throws: { ($0 as? Failure)?.code == .takenName }
    }
  }

  @Test func aRegisteredBlockIsRead() throws {
    let composition = Composition.stack(
      "c", .custom("test_interpolate", ["a", .stack("b", "c")], options: ["at": ["0.25"]]))
    let text = "stack(c, test_interpolate(a, stack(b, c), at=0.25))"
    #expect(composition.description == text)
    #expect(try Composition(parsing: text) == composition)
    #expect(
      try Composition(parsing: "Test_Interpolate(a, b)") == .custom("test_interpolate", ["a", "b"], options: [:]))
    #expect(composition.leaves == ["c", "a", "b", "c"])
    #expect(
      try Composition(parsing: "test_interpolate(a, b, at=[0.5])")
        == .custom("test_interpolate", ["a", "b"], options: ["at": ["0.5"]]))
  }

  @Test(arguments: [
    ("stack(c, interpolates(a, b))", "interpolates", Failure.Code.malformedComposition),
    ("test_interpolate(a, b, at=2)", "at", .malformedComposition),
    ("test_interpolate(a, b, c)", "test_interpolate", .malformedComposition),
    ("test_interpolate(a, b, by=0.5)", "by", .malformedComposition),
    ("fuse(a, test_interpolate(a, b))", "test_interpolate", .forbiddenNesting),
    ("test_interpolate(a, average(a, b))", "average", .forbiddenNesting),
    ("test_interpolate(a, test_interpolate(a, b))", "test_interpolate(a, b))", .forbiddenNesting),
  ])
  func pointsAtWhatIsWrong(text: String, place: String, code: Failure.Code) throws {
    let failure = try #require(throws: Failure.self) { try Composition(parsing: text) }
    #expect(failure.code == code)
    let lines = try #require(failure.subject).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(text.dropFirst(lines[1].count - 1).hasPrefix(place), "\(failure)")
  }

  @Test(arguments: ["seq_bn", "lora", "lhuc"])
  func aRegisteredBlockMixesAtEveryKindOfSite(name: String) throws {
    let model = try TinyModel(), configuration = try #require(methods.first { $0.name == name }).configuration
    let adapters = Dictionary(
      uniqueKeysWithValues: try ["a", "b", "c"].enumerated().map {
        ($1, try model.adapter(configuration, seed: UInt64(3 + $0)))
      })
    func hidden(_ text: String) throws -> [Float] {
      try model.hidden(model.setup(Composition(parsing: text), adapters)).values
    }
    for (mixed, same) in [
      ("test_interpolate(a, b, at=0)", "a"), ("test_interpolate(a, b, at=1)", "b"),
      ("test_interpolate(a, b)", "average(a, b, weights=[1, 1], normalize=false)"),
      ("test_interpolate(a, b, at=0.25)", "average(a, b, weights=[1.5, 0.5], normalize=false)"),
    ] {
      #expect(try zip(hidden(mixed), hidden(same)).allSatisfy { abs($0 - $1) < 1e-5 }, "\(mixed)")
    }
    #expect(try hidden("test_interpolate(a, b)") != hidden("a"))
  }

  @Test func prefixesAreNotMixed() throws {
    let model = try TinyModel(),
      adapter = try model.adapter(["architecture": "prefix_tuning", "prefix_length": 2, "flat": true], seed: 3)
    #expect { try model.setup(.custom("test_interpolate", ["a", "a"], options: [:]), ["a": adapter]) } throws: {
      ($0 as? Failure)?.code == .unsuitableBlock
    }
  }
}

/// `h + b` after each layer.
private struct Offset: AdapterMethod {
  static let architecture: String? = "test_offset"
  let offsets: [Int: Parameter]

  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    offsets = try Dictionary(
      uniqueKeysWithValues: (0..<shape.layers).map {
        ($0, try weights["layers"][$0]["layer"].parameter("offset", [shape.hiddenSize]))
      })
  }

  var sites: Set<Site> { Set(offsets.keys.map { Site($0, .layer) }) }
  var parameters: [Parameter] { offsets.sorted { $0.key < $1.key }.map(\.value) }
  func layerAdapter(at index: Int) -> (any LayerAdapter)? { offsets[index].map(Layer.init) }

  struct Layer: LayerAdapter {
    let offset: Parameter

    func callAsFunction(
      _ output: Tensor, of input: Tensor, _ sequences: Sequences, keeping kept: inout [Int: Tensor], in context: Context
    ) -> Tensor {
      context.add(output, context.rows(context.value(of: offset), Array(repeating: 0, count: output.rows)))
    }
  }
}

/// `W x` of the last token.
private struct LastTokenHead: Head {
  static let types = ["test_last_token"]
  let output: Linear

  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    output = try Linear(from: weights["out"], shape.hiddenSize, 2, bias: false)
  }

  let labels = ["no", "yes"]
  var answer: HeadAnswer { .label }
  var parameters: [Parameter] { output.parameters }

  func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    output(
      context.rows(input.hidden, (0..<input.sequences.count).map { input.sequences[$0].upperBound - 1 }), in: context)
  }
}

/// `(1 − t) a + t b`
private struct Interpolation: MixingBlock {
  static let name = "test_interpolate"
  static let options: Set<String> = ["at"]
  let share: Float

  init(options: [String: [String]], children: Int) throws {
    guard children == 2 else { throw Failure(.malformedComposition, "there are two ends to interpolate between") }
    guard let share = Float(options["at"]?.first ?? "0.5"), (0...1).contains(share) else {
      throw Failure(.malformedComposition, "a share is between 0 and 1", at: "at")
    }
    self.share = share
  }

  func mixed(_ parts: [(child: Int, value: Tensor)], at site: Site, in context: Context) -> Tensor {
    parts.map { context.scaled($0.value, by: $0.child == 0 ? 1 - share : share) }.reduce(nil) { sum, part in
      sum.map { context.add($0, part) } ?? part
    } ?? parts[0].value
  }
}

/// A method under the name of another one.
private struct SecondLoRA: AdapterMethod {
  static let architecture: String? = "lora"
  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {}
  var sites: Set<Site> { [] }
  var parameters: [Parameter] { [] }
}

private struct SecondTaggingHead: Head {
  static let types = ["test_other", "tagging"]
  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {}
  var labels: [String] { [] }
  var answer: HeadAnswer { .tokenLabel }
  var parameters: [Parameter] { [] }
  func logits(_ input: HeadInput, in context: Context) throws -> Tensor { input.hidden }
}

private protocol BlockName { static var name: String { get } }
private enum BatchSplit: BlockName { static let name = "batchsplit" }
private enum Base: BlockName { static let name = "base" }
private enum Bracket: BlockName { static let name = "mix(" }
private enum Nothing: BlockName { static let name = "" }

private struct Named<Name: BlockName>: MixingBlock {
  static var name: String { Name.name }
  static var options: Set<String> { [] }
  init(options: [String: [String]], children: Int) throws {}
  func mixed(_ parts: [(child: Int, value: Tensor)], at site: Site, in context: Context) -> Tensor { parts[0].value }
}
