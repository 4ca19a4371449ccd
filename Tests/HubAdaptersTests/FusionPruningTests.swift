import HubAdapters
import HubWords
import HubTensor
import HubModels
import HubTransformer
import Testing

@Suite struct FusionPruningTests {
  private let model: TinyModel
  private let adapters: [String: any AdapterMethod]

  init() throws {
    let model = try TinyModel()
    self.model = model
    adapters = Dictionary(
      uniqueKeysWithValues: try ["l", "a", "b", "c"].enumerated().map {
        ($1, try model.adapter(bottlenecks[$0 == 0 ? 4 : 0].configuration, seed: UInt64(3 + $0)))
      })
  }

  /// Statistics of two passes, and the mean attention to each member by a computation of its own.
  private func observed(_ setup: Setup, _ name: String) throws -> (FusionStatistics, [Double]) {
    let statistics = FusionStatistics()
    var seen: [Site: [[Float]]] = [:], observer = ComposedAdapters.Observer()
    observer.fusion = { fusion, site, attention in
      statistics.add(fusion, site, attention)
      if fusion == name { seen[site, default: []] += (0..<attention.rows).map(attention.row) }
    }
    for tokens in [model.tokens, TokenBatch([(ids: [3, 3, 8, 10, 11], typeIDs: [0, 0, 0, 0, 0])])] {
      _ = try model.base(
        tokens, with: ComposedAdapters(setup, for: tokens.sequences, observer: observer), in: Context(model.engine))
    }
    let members = seen.values.first?.first?.count ?? 0
    #expect(seen.count == 2 && seen.values.allSatisfy { $0.count == 12 })
    return (statistics, (0..<members).map { member in seen.values.joined().reduce(0) { $0 + Double($1[member]) } / 24 })
  }

  @Test(arguments: [("stack(l, fuse(a, stack(b, c), c))", "a,c,c"), ("fuse(a, b, c, name=all)", "all")])
  func keepsTheMostActiveMembers(text: String, name: String) throws {
    let setup = try model.setup(Composition(parsing: text), adapters),
      (statistics, expected) = try observed(setup, name)
    let attention = statistics.attention(of: name)
    #expect(attention.count == 2 && attention.values.allSatisfy { $0.count == 3 && abs($0.reduce(0, +) - 1) < 1e-6 })
    for count in 1...3 {
      let kept = expected.indices.sorted { expected[$0] > expected[$1] }.prefix(count).sorted()
      let pruned = try setup.pruned(to: count, by: statistics)
      let wanted = try Composition(parsing: text).replacingMembers(kept)
      #expect(pruned.composition == wanted)
      // The fusion of the model is the same whatever its members.
      #expect(try model.hidden(pruned).values == model.hidden(model.setup(wanted, adapters)).values)
    }
    #expect(try model.hidden(setup.pruned(to: 3, by: statistics)).values == model.hidden(setup).values)
    #expect(try setup.pruned(to: 9, by: statistics).composition == setup.composition)
  }

  @Test func eachLayerKeepsItsOwnMostActiveMembers() throws {
    let setup = try model.setup(.stack("l", .fuse("a", .drop("b", layers: [1]), "c")), adapters),
      statistics = FusionStatistics(), context = Context(model.engine)
    // In layer 0 the first is the most active, then the last; in layer 1 the second does not act.
    statistics.add("a,b,c", Site(0, .feedForward), context.tensor(rows: 2, columns: 3, [0.6, 0.1, 0.3, 0.5, 0.1, 0.4]))
    statistics.add("a,b,c", Site(1, .feedForward), context.tensor(rows: 1, columns: 2, [0.2, 0.8]))
    let two = try setup.pruned(to: 2, by: statistics, inEachLayer: true),
      one = try setup.pruned(to: 1, by: statistics, inEachLayer: true)
    #expect(two.composition == .stack("l", .fuse("a", "c")))
    #expect(one.composition == .stack("l", .fuse(.drop("a", layers: [1]), .drop("c", layers: [0]))))
    #expect(try setup.pruned(to: 1, by: statistics).composition == .stack("l", .fuse("c")))
    #expect(try setup.pruned(to: 3, by: statistics, inEachLayer: true).composition == setup.composition)
    // A fusion of one that acts in the first layer only, and then another's in the second.
    let halves = try model.setup(.stack("l", .fuse(.drop("a", layers: [1])), .fuse(.drop("c", layers: [0]))), adapters)
    #expect(try model.hidden(one).values == model.hidden(halves).values)
    #expect(try model.hidden(one).values != model.hidden(model.setup("l", adapters)).values)
  }

  @Test func theFusionKeepsItsWeights() throws {
    let setup = try model.setup(.fuse("a", "b", "c"), adapters), (statistics, _) = try observed(setup, "a,b,c")
    let pruned = try setup.pruned(to: 2, by: statistics), name = try #require(pruned.fusions.first).name
    let before = try #require(setup.fusion("a,b,c")), after = try #require(pruned.fusion(name))
    #expect(
      zip(after.parameters, before.parameters).allSatisfy { $0 === $1 }
        && after.parameters.count == before.parameters.count)
    #expect(name == pruned.composition.leaves.joined(separator: ","))
  }

  @Test func refusesWhatWasNotObserved() throws {
    let setup = try model.setup(.stack("l", .fuse("a", "b")), adapters), (statistics, _) = try observed(setup, "a,b")
    #expect { try setup.pruned(to: 0, by: statistics) } throws: { ($0 as? Failure)?.code == .missingStatistics }
    let failure = try #require(throws: Failure.self) { try setup.pruned(to: 1, by: FusionStatistics()) }
    #expect(failure.code == .missingStatistics && failure.subject == "stack(l, fuse(a, b))\n         ^")
    let two = try model.setup(Composition(parsing: "stack(fuse(a, b), fuse(a, c))"), adapters),
      context = Context(model.engine), own = FusionStatistics()
    for name in ["a,b", "a,c"] { own.add(name, Site(0, .feedForward), context.tensor(rows: 1, columns: 2, [1, 0])) }
    #expect { try two.pruned(to: 1, by: own) } throws: { ($0 as? Failure)?.code == .unsuitableBlock }
    let shared = try Setup(requests: [(setup, 1), (nil, 1)])
    #expect { try shared.pruned(to: 1, by: statistics) } throws: { ($0 as? Failure)?.code == .unsuitableBlock }
  }
}

extension Composition {
  /// With these children of its fusion only.
  fileprivate func replacingMembers(_ kept: [Int]) -> Composition {
    switch self {
    case .fuse(let children, let name): .fuse(kept.map { children[$0] }, name: name)
    case .stack(let children): .stack(children.map { $0.replacingMembers(kept) })
    default: self
    }
  }
}
