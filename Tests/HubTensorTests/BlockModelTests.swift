import HubTensor
import Testing

/// The blocks that the model of traffic chooses, on caches of processors that people have.
@Suite struct BlockModelTests {
  private static let processors: [(name: String, caches: Caches)] = [
    ("Zen 2, Zen 3", Caches(first: 32 << 10, second: 512 << 10)),
    ("Zen 4, Zen 5", Caches(first: 48 << 10, second: 1 << 20)),
    ("Skylake", Caches(first: 32 << 10, second: 256 << 10)),
    ("Alder Lake", Caches(first: 48 << 10, second: 1280 << 10)),
    ("Neoverse N1", Caches(first: 64 << 10, second: 1 << 20)),
    ("this one", .measured),
  ]
  private static let tiles = [(rows: 6, columns: 16), (rows: 14, columns: 32), (rows: 12, columns: 8)]

  @Test func blocksFitTheCaches() {
    for (name, caches) in Self.processors {
      for tile in Self.tiles {
        let model = BlockModel(tile: tile, caches: caches), best = model.best
        let cost = [768, 3072].map { model.cycles(best, depth: $0) }
        print(
          "\(name), tile \(tile.rows) x \(tile.columns): \(best.rows) rows, depth \(best.depth);",
          cost.map { "\((100 * $0.multiplying / $0.total).rounded()) % multiplying" })
        #expect(best.rows % tile.rows == 0 && best.rows >= 4 * tile.rows)
        #expect((128...768).contains(best.depth))
        #expect(best.rows == 4 * tile.rows || best.rows * best.depth * 4 <= caches.second / 2)
        for other in model.candidates {
          let costs = [best, other].map { blocks in
            [768, 1024, 3072].reduce(0) { $0 + model.cycles(blocks, depth: $1).total }
          }
          #expect(costs[0] <= costs[1])
        }
      }
    }
  }

  /// What the model is for: with second-level caches of half a megabyte, 1024 rows read the weights at most seven
  /// times.
  @Test func weightsAreReadSeldom() {
    let model = BlockModel(tile: (6, 16), caches: Caches(first: 32 << 10, second: 512 << 10))
    #expect((1024 + model.best.rows - 1) / model.best.rows <= 7)
  }

  @Test func whatFitsTheFirstLevelIsNotFetchedAgain() {
    let model = BlockModel(tile: (6, 16), caches: Caches(first: 32 << 10, second: 512 << 10))
    #expect(model.cycles(BlockModel.Blocks(rows: 72, depth: 256), depth: 3072).panels == 0)
    #expect(model.cycles(BlockModel.Blocks(rows: 72, depth: 768), depth: 3072).panels > 0)
  }

  @Test func theCachesOfThisMachineAreFound() {
    #expect((8 << 10...1 << 20).contains(Caches.measured.first))
    #expect((64 << 10...64 << 20).contains(Caches.measured.second))
  }
}
