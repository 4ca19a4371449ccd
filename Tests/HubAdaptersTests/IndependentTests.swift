import HubModels
import Foundation
import HubAdapters
import HubWords
import HubTensor
import HubWeights
import Testing

@testable import HubTransformer

/// Methods that no library has, against implementations of a few lines in Python: `Independent/generate.py` writes the
/// cases.
@Suite struct IndependentTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Independent/cases")
    .path
  private static let texts = [[1, 5, 9, 4, 2], [1, 7, 2], [1, 3, 8, 2]]

  private let engine = Engine(kernels: Kernels.available[0], threads: 1)
  private let base: BERT
  private let tokens = TokenBatch(Self.texts.map { (ids: $0, typeIDs: $0.map { _ in 0 }) })

  init() throws {
    let file = try File("base"), engine = engine
    base = try file.part("").load(engine: engine) { try BERT(.bert, configuration: file.configuration, weights: $0) }
  }

  /// A case: its configuration and its tensors.
  private struct File {
    let configuration: JSONObject
    private let file: WeightFile

    init(_ name: String) throws {
      file = try Safetensors.open("\(IndependentTests.folder)/\(name).safetensors")
      configuration = try JSONObject(JSON(parsing: Data(#require(file.metadata["configuration"]).utf8)))
    }

    /// The tensors whose names begin with `prefix`.
    func part(_ prefix: String) -> StoredWeights {
      StoredWeights(
        file.tensors.filter { $0.name.hasPrefix(prefix) }.map { $0.renamed(String($0.name.dropFirst(prefix.count))) })
    }

    func values(_ name: String) throws -> [Float] { try #require(file.tensors.first { $0.name == name }).floats() }
  }

  private func adapter(_ file: File) throws -> any AdapterMethod {
    try AdapterMethods.load(file.configuration, file.part("adapter."), shape: base.shape, engine: engine)
  }

  private func hidden(
    _ adapter: any AdapterMethod, _ composition: Composition = "a", training parameters: [Parameter] = []
  ) throws -> [Float] {
    let setup = try Setup(composition) { _ in
      adapter
    } fusion: { _, _, _ in
      nil
    }
    return try base(
      tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: Context(engine, training: parameters)
    ).values
  }

  private func isNear(_ got: [Float], _ wanted: [Float]) -> Bool {
    got.count == wanted.count && zip(got, wanted).allSatisfy { abs($0 - $1) <= 1e-5 }
  }

  @Test(arguments: [
    "bapna_firat", "lhuc", "pal", "pal_low_rank", "pal_own_projections", "k_adapter", "k_adapter_skip", "k_adapter_two",
    "adamix", "adamix_ups",
    "adamix_ensemble", "adamix_ensemble_ups", "udapter", "udapter_typology",
  ])
  func agrees(name: String) throws {
    let file = try File(name), adapter = try adapter(file), wanted = try file.values("hidden")
    #expect(isNear(try hidden(adapter), wanted))
    #expect(isNear(try hidden(adapter, training: adapter.parameters), wanted), "training sees the same")
    #expect(
      !isNear(try base(tokens, with: NoInterventions(), in: Context(engine)).values, wanted), "the adapter matters")
  }

  /// Each branch of a block gives what the adapter gives alone, above a layer where rows were multiplied too.
  @Test(arguments: ["lhuc", "pal", "k_adapter", "k_adapter_skip", "adamix", "udapter"])
  func worksInBlocks(name: String) throws {
    let file = try File(name), adapter = try adapter(file), wanted = try file.values("hidden")
    #expect(isNear(try hidden(adapter, Composition(parsing: "batch_split(a, a, sequences=[2, 1])")), wanted))
    #expect(isNear(try hidden(adapter, Composition(parsing: "parallel(a, a)")), wanted + wanted))
    #expect(isNear(try hidden(adapter, Composition(parsing: "average(a, a, weights=[1, 1], normalize=false)")), wanted))
  }

  /// A K-Adapter kept hidden states before a `parallel` above it multiplied the rows.
  @Test func knowledgeSurvivesMultipliedRows() throws {
    let knowledge = try File("k_adapter"), scale = try File("lhuc")
    let adapters = ["k": try adapter(knowledge), "l": try adapter(scale)]
    func hidden(_ composition: String) throws -> [Float] {
      let setup = try Setup(Composition(parsing: composition)) {
        adapters[$0]
      } fusion: { _, _, _ in
        nil
      }
      return try base(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: Context(engine)).values
    }
    let alone = try hidden("stack(k, l)")
    #expect(isNear(try hidden("stack(k, parallel(l, l))"), alone + alone))
    #expect(isNear(try hidden("stack(parallel(l, l), k)"), try hidden("stack(l, k)") + hidden("stack(l, k)")))
  }

  /// Where layers run without adapters, their blocks are missing and the others stay what they are.
  @Test func blocksOfSkippedLayersAreLeftOut() throws {
    let file = try File("k_adapter"), adapter = try adapter(file)
    let setup = try Setup("a") { _ in
      adapter
    } fusion: { _, _, _ in
      nil
    }
    let skipping = try base(
      tokens, with: ComposedAdapters(setup, for: tokens.sequences, skippedLayers: [0]), in: Context(engine)
    ).values
    let rest = file.part("adapter.").tensors.values.filter { !$0.name.contains("blocks.0.") }.map {
      $0.renamed($0.name.replacing("blocks.1.", with: "blocks.0."))
    }
    let second = try AdapterMethods.load(
      JSONObject(file.configuration.members.with(["adapter_list": [2]])), StoredWeights(rest), shape: base.shape,
      engine: engine)
    #expect(isNear(skipping, try hidden(second)))
  }

  @Test func adaMixTakesOneExpertOfEachKindAtRandom() throws {
    var generator = SystemRandomNumberGenerator(), seen: Set<Int> = []
    let wanted = try (0..<9).map { try File("adamix_routed_\($0 / 3)_\($0 % 3)") }
    let adapter = try #require(try adapter(wanted[0]) as? AdaMix), outputs = try wanted.map { try $0.values("hidden") }
    for _ in 0..<200 where seen.count < 9 {
      let routed = try hidden(adapter.routed(using: &generator))
      seen.insert(try #require(outputs.firstIndex { isNear(routed, $0) }, "no choice of experts gives this"))
    }
    #expect(seen.count == 9, "all choices come")
    #expect(adapter.routed(using: &generator).parameters.count == adapter.parameters.count)
  }

  /// Each step draws experts twice; those that were drawn learn, and after a while all have, and their mean is the
  /// better for it.
  @Test func adaMixLearnsByDrawing() throws {
    let file = try File("adamix_routed_0_0"), adapter = try #require(try adapter(file) as? AdaMix)
    var generator = SplitMix(seed: 5), moved: Set<ObjectIdentifier> = []
    let labels = [1, 1, 1], plain = Context(engine)
    func logits(_ adapter: AdaMix, in context: Context) throws -> Tensor {
      let setup = try Setup("a") { _ in
        adapter
      } fusion: { _, _, _ in
        nil
      }
      return context.columns(
        context.rows(try base(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: context), [1, 6, 9]),
        0..<3)
    }
    let before = plain.crossEntropy(try logits(adapter, in: plain), labels: labels).values[0]
    for _ in 0..<100 {
      let context = Context(engine, training: adapter.parameters)
      let first = try logits(adapter.routed(using: &generator), in: context),
        second = try logits(adapter.routed(using: &generator), in: context)
      let gradients = context.gradients(
        of: context.add(context.crossEntropy(first, labels: labels), AdaMix.consistency(first, second, in: context)))
      let drawn = adapter.parameters.filter { gradients[$0] != nil }
      #expect((4...8).contains(drawn.count), "one or two down and up projections of three each")
      for parameter in drawn {
        moved.insert(ObjectIdentifier(parameter))
        let slopes = gradients[parameter]?.values ?? []
        parameter.update(in: plain) { for index in $0.indices { $0[index] -= 0.2 * slopes[index] } }
      }
    }
    #expect(moved.count == adapter.parameters.count)
    let after = plain.crossEntropy(try logits(adapter, in: plain), labels: labels).values[0]
    #expect(after < 0.8 * before, "\(before) became \(after)")
  }

  @Test func adaMixWantsItsChoicesToAgree() throws {
    let file = try File("consistency"), first = try file.values("first"), second = try file.values("second")
    let plain = Context(engine), x = Parameter("x", plain.tensor(rows: 4, columns: 3, first))
    let context = Context(engine, training: [x])
    let loss = AdaMix.consistency(context.value(of: x), context.tensor(rows: 4, columns: 3, second), in: context)
    #expect(abs(loss.values[0] - (try file.values("loss"))[0]) <= 1e-6)

    // The gradient is that of ½ KL(q ‖ p) with q held.
    let gradient = try #require(context.gradients(of: loss)[x]).values
    func half() -> Float {
      plain.divergence(of: x.value, from: plain.tensor(rows: 4, columns: 3, second)).values[0] / 2
    }
    for index in 0..<12 {
      func moved(_ distance: Float) -> Float {
        x.update(in: plain) { $0[index] += distance }
        defer { x.update(in: plain) { $0[index] -= distance } }
        return half()
      }
      #expect(abs(gradient[index] - (moved(1e-2) - moved(-1e-2)) / 2e-2) <= 1e-4)
    }
  }

  @Test func uDapterSpeaksTheLanguagesOfItsTable() throws {
    let file = try File("udapter"), adapter = try #require(try adapter(file) as? UDapter),
      wanted = try file.values("hidden")
    #expect(!isNear(try hidden(adapter.speaking("yo")), wanted))
    #expect(isNear(try hidden(adapter.speaking("yo").speaking("tr")), wanted))
    #expect { try adapter.speaking("xx") } throws: { ($0 as? Failure)?.hint?.contains("de, tr, yo") ?? false }
    let row = try #require(adapter.parameters.first { $0.name == "languages.values" }).value.row(1)
    #expect(
      isNear(try hidden(adapter.speaking("yo").speaking(row)), wanted),
      "a language that is given is like one of the table")
    for values in [[], row + [0], [.nan, 0, 0]] {
      #expect { try adapter.speaking(values) } throws: { ($0 as? Failure)?.code == .invalidConfiguration }
    }
  }

  /// What an adapter computes its weights to be is an adapter that every library runs.
  @Test func theOrdinaryFormDoesTheSame() throws {
    let mixed = try File("adamix_ensemble_ups"), generated = try File("udapter_typology")
    let forms = [
      (try #require(adapter(mixed) as? AdaMix).merged(engine: engine), try File("adamix_ups")),
      (try #require(adapter(generated) as? UDapter).generated(engine: engine), generated),
    ]
    for (form, file) in forms {
      let ordinary = try AdapterMethods.load(
        JSONObject(form.configuration), StoredWeights(form.weights), shape: base.shape, engine: engine)
      #expect(ordinary is Bottleneck)
      #expect(isNear(try hidden(ordinary), try file.values("hidden")))
    }
  }

  /// What was computed from weights is computed again when they change.
  @Test func derivedWeightsFollowTheirSources() throws {
    let adapter = try adapter(File("udapter")), before = try hidden(adapter)
    let parameter = try #require(adapter.parameters.first)
    parameter.update(in: Context(engine)) { for index in $0.indices { $0[index] += 0.5 } }
    let after = try hidden(adapter)
    #expect(!isNear(after, before))
    parameter.update(in: Context(engine)) { for index in $0.indices { $0[index] -= 0.5 } }
    #expect(isNear(try hidden(adapter), before))
  }

  @Test(arguments: ["biaffine", "udapter_parser"])
  func theParserAgrees(name: String) throws {
    let file = try File(name), context = Context(engine)
    let head = try Heads.load(file.configuration, file.part("head."), shape: base.shape, engine: engine)
    let hidden = try base(tokens, with: NoInterventions(), in: context)
    let scores = try head.logits(
      HeadInput(hidden, tokens.sequences, base: base, words: [[1..<2, 2..<4], [1..<2], []]), in: context)
    #expect(scores.rows == 8 && scores.columns == 4)
    let wanted = try file.values("scores")
    #expect(isNear(scores.values, wanted))
    guard name == "udapter_parser" else { return }
    let parser = try #require(head as? DependencyHead),
      input = HeadInput(hidden, tokens.sequences, base: base, words: [[1..<2, 2..<4], [1..<2], []])
    let row = try #require(parser.parameters.first { $0.name == "languages.values" }).value.row(1)
    #expect(!isNear(try parser.speaking("de").logits(input, in: context).values, wanted))
    for other in [try parser.speaking("de").speaking("yo"), try parser.speaking("de").speaking(row)] {
      #expect(isNear(try other.logits(input, in: context).values, wanted))
    }
    #expect(throws: Failure.self) { try parser.speaking("xx") }
  }
}
