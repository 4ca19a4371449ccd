import HubModels
import Foundation
import HubAdapters
import HubWords
import HubTensor
import HubTransformer
import Testing

@Suite struct CompositionEvaluationTests {
  @Test func aStackOfOneIsTheAdapter() throws {
    let model = try TinyModel()
    for item in methods {
      let adapters = ["a": try model.adapter(item.configuration, seed: 3)]
      #expect(
        try model.hidden(model.setup("a", adapters)).values == model.hidden(model.setup(.stack("a"), adapters)).values,
        "\(item.name)")
    }
  }

  @Test func onlyTheFirstAdapterChangesTheEmbeddings() throws {
    let model = try TinyModel()
    let inverting = try model.adapter(bottlenecks[4].configuration, seed: 2)
    let plain = try model.adapter(bottlenecks[0].configuration, seed: 2)
    let task = try model.adapter(bottlenecks[0].configuration, seed: 5)
    let second = try [inverting, plain].map {
      try model.hidden(model.setup(.stack("t", "l"), ["t": task, "l": $0])).values
    }
    #expect(second[0] == second[1])
    let first = try [inverting, plain].map {
      try model.hidden(model.setup(.stack("l", "t"), ["t": task, "l": $0])).values
    }
    #expect(first[0] != first[1])
  }

  @Test func partsOfABatchAreWhatTheyAreAlone() throws {
    let model = try TinyModel()
    let adapters = [
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[4].configuration, seed: 4),
    ]
    let together = try model.hidden(model.setup(Composition(parsing: "batch_split(a, b, sequences=[1, 1])"), adapters))
      .values
    let a = try model.hidden(model.setup("a", adapters)).values,
      b = try model.hidden(model.setup("b", ["b": model.adapter(bottlenecks[0].configuration, seed: 4)])).values
    #expect(together[..<32] == a[..<32] && together[32...] == b[32...])
  }

  @Test func branchesOfAParallelAreWhatTheyAreAlone() throws {
    let model = try TinyModel()
    // The first layer has no adapter: it is computed once, and the rows multiply in the second.
    let late = bottlenecks[0].configuration.with(["leave_out": [0]])
    let adapters = ["a": try model.adapter(late, seed: 3), "b": try model.adapter(late, seed: 4)]
    let together = try model.hidden(model.setup(.parallel("a", "b"), adapters))
    #expect(together.rows == 14)
    #expect(
      try together.values == model.hidden(model.setup("a", adapters)).values
        + model.hidden(model.setup("b", adapters)).values)
  }

  @Test func branchesOfLinearAdaptersAreWhatTheyAreAlone() throws {
    let model = try TinyModel()
    // One matrix only: the rows multiply within the attention, or within the feed-forward block.
    for place: JSON.Members in [
      ["attn_matrices": ["k"]], ["selfattn_lora": false, "intermediate_lora": true],
      ["selfattn_lora": false, "output_lora": true],
    ] {
      let configuration = linears[0].configuration.with(place)
      let adapters = ["a": try model.adapter(configuration, seed: 3), "b": try model.adapter(configuration, seed: 4)]
      let alone = try ["a", "b"].flatMap { try model.hidden(model.setup(.adapter($0), adapters)).values }
      let together = try model.hidden(model.setup(.parallel("a", "b"), adapters)).values
      #expect(zip(together, alone).allSatisfy { abs($0 - $1) < 1e-5 } && together.count == alone.count)
    }
  }

  /// ReFT acts only where it stands first; what stands after it has its place all the same.
  @Test func adaptersBehindReFTAct() throws {
    let model = try TinyModel()
    func adapter(_ name: String) throws -> any AdapterMethod {
      try model.adapter(#require(methods.first { $0.name == name }).configuration, seed: 3)
    }
    let adapters = ["r": try adapter("noreft"), "l": try adapter("lhuc, last layer only")]
    let factors = try #require(adapters["l"]?.parameters.first).value.values.map { 2 / (1 + exp(-$0)) }
    let expected = try model.hidden(model.setup("r", adapters)).values.enumerated().map {
      $1 * factors[$0 % factors.count]
    }
    let both = try model.hidden(model.setup(.stack("r", "l"), adapters)).values
    #expect(zip(both, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func aWarmPassTakesNothingFromTheSystem() throws {
    let model = try TinyModel()
    let adapters = [
      "de": try model.adapter(bottlenecks[4].configuration, seed: 2),
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[0].configuration, seed: 4),
    ]
    let setup = try model.setup(.stack("de", .fuse("a", "b")), adapters)
    for _ in 0..<2 { _ = try model.hidden(setup) }
    let warm = model.engine.allocations
    for _ in 0..<5 { _ = try model.hidden(setup) }
    #expect(model.engine.allocations == warm)
  }

  @Test func partsMustAddUp() throws {
    let model = try TinyModel()
    let adapters = ["a": try model.adapter(bottlenecks[0].configuration, seed: 3)]
    for text in [
      "split(a, a, tokens=[2, 3])", "batch_split(a, a, sequences=[1, 2])",
      "stack(a, batch_split(a, a, sequences=[2, 2]))",
    ] {
      let setup = try model.setup(Composition(parsing: text), adapters)
      #expect { try model.hidden(setup) } throws: { ($0 as? Failure)?.code == .wrongParts }
    }
  }

  @Test func skippedLayersRunWithoutAdapters() throws {
    let model = try TinyModel()
    let setup = try model.setup("a", ["a": model.adapter(bottlenecks[0].configuration, seed: 3)])
    let context = Context(model.engine)
    let skipped = try model.base(
      model.tokens, with: ComposedAdapters(setup, for: model.tokens.sequences, skippedLayers: [0, 1]), in: context)
    #expect(try skipped.values == model.hidden(nil).values)
  }

  @Test func aFusionShowsItsAttention() throws {
    let model = try TinyModel()
    let adapters = [
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[0].configuration, seed: 4),
    ]
    let setup = try model.setup(.fuse("a", "b"), adapters)
    var seen: [String: [Float]] = [:]
    var observer = ComposedAdapters.Observer()
    observer.fusion = { name, site, attention in seen["\(name) \(site.layer) \(site.place.rawValue)"] = attention.values
    }
    let composed = try ComposedAdapters(setup, for: model.tokens.sequences, observer: observer)
    _ = try model.base(model.tokens, with: composed, in: Context(model.engine))
    #expect(seen.keys.sorted() == ["a,b 0 feed_forward", "a,b 1 feed_forward"])
    for values in seen.values {
      #expect(values.count == 14)
      for token in 0..<7 { #expect(abs(values[2 * token] + values[2 * token + 1] - 1) < 1e-6) }
    }
  }

  @Test func refusesWhatIsNotThereOrDoesNotFit() throws {
    let model = try TinyModel()
    let adapters = [
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[1].configuration, seed: 4),
    ]
    #expect { try model.setup(.stack("a", "zz"), adapters) } throws: { ($0 as? Failure)?.code == .unknownName }
    #expect { try model.setup(.fuse("a", "b"), adapters) } throws: { ($0 as? Failure)?.code == .differentSites }
    #expect {
      try Setup(.fuse("a", "a")) {
        adapters[$0]
      } fusion: { _, _, _ in
        nil
      }
    } throws: { ($0 as? Failure)?.code == .missingFusion }
    let lora = [
      "a": try model.adapter(linears[0].configuration, seed: 3),
      "b": try model.adapter(linears[0].configuration, seed: 4),
    ]
    #expect { try model.setup(.fuse("a", "b"), lora) } throws: { ($0 as? Failure)?.code == .unsuitableBlock }
    let wide = [
      "a": try model.adapter(linears[1].configuration, seed: 3),
      "b": try model.adapter(linears[1].configuration, seed: 4),
    ]
    #expect { try model.setup(.stack("a", "b"), wide) } throws: { ($0 as? Failure)?.code == .unsuitableBlock }
    #expect { try model.setup(.stack("a", .stack("b")), adapters) } throws: {
      ($0 as? Failure)?.code == .forbiddenNesting
    }
  }
}
