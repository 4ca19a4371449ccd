import CHubKernels

/// What moves between the caches while a product is taken, from which the blocks that it is taken in are chosen.
///
/// A block of `rows` rows and `depth` units of the left side stays in the second-level cache while the panels of the
/// right side pass, each read once from outside by every block. A strip of the tile's rows meets a panel: in the
/// first-level cache if both fit, else the panel comes from the second level each time. Sums that a range of depth
/// leaves are read again by the next. (The loops are those of Goto and van de Geijn 2008.)
public struct BlockModel: Sendable {
  /// Rows and columns of the tile.
  public let tile: (rows: Int, columns: Int)
  /// The caches that blocks are to fit into.
  public let caches: Caches

  /// How much of a product is taken at a time.
  public struct Blocks: Sendable, Equatable {
    /// Rows of the left side, a multiple of the tile's.
    public let rows: Int
    /// The part of the sum, in units of four bytes.
    public let depth: Int

    /// - Parameters:
    ///   - rows: a multiple of the tile's
    ///   - depth: in units of four bytes
    public init(rows: Int, depth: Int) {
      self.rows = rows
      self.depth = depth
    }
  }

  /// Cycles for one multiplication and addition, by what they go to.
  public struct Cycles: Sendable {
    /// With two vectors multiplied a cycle.
    public let multiplying: Double
    /// Panels from the second level to the first.
    public let panels: Double
    /// Panels from outside to the second level.
    public let weights: Double
    /// Sums written and read again.
    public let sums: Double

    /// All of these together.
    public var total: Double { multiplying + panels + weights + sums }
  }

  // Bytes a cycle that cost no more than these while the processor multiplies: panels and weights come as a stream that
  // it sees coming, sums from rows far apart. Measured on Cascade Lake: products of 1024 x 3072 at depths of 256
  // and 768.
  private static let secondLevelRate = 96.0
  private static let weightsRate = 8.0
  private static let sumsRate = 2.0

  /// The model of kernels, whose tile they know.
  public init(_ kernels: Kernels, caches: Caches = .measured) {
    tile = (kernels.table.row_block, kernels.table.panel)
    self.caches = caches
  }

  /// The model of any tile.
  public init(tile: (rows: Int, columns: Int), caches: Caches) {
    self.tile = tile
    self.caches = caches
  }

  /// What a product of many rows costs that is `k` units deep.
  public func cycles(_ blocks: Blocks, depth k: Int) -> Cycles {
    let bytes = Double(MemoryLayout<Float>.size)
    let ranges = ((k + blocks.depth - 1) / blocks.depth), depth = k / ranges
    let isFirst = (tile.columns + tile.rows) * depth * MemoryLayout<Float>.size <= caches.first
    return Cycles(
      multiplying: 1 / Double(tile.columns),
      panels: isFirst ? 0 : bytes / Double(tile.rows) / Self.secondLevelRate,
      weights: bytes / Double(blocks.rows) / Self.weightsRate,
      sums: bytes * Double(2 * ranges - 1) / Double(k) / Self.sumsRate)
  }

  /// The blocks that fit: half of the second-level cache is left to panels and sums.
  public var candidates: [Blocks] {
    stride(from: 128, through: Int(HUB_DEPTH_LIMIT), by: 128).map { depth in
      let fitting = caches.second / 2 / (depth * MemoryLayout<Float>.size) / tile.rows
      return Blocks(rows: tile.rows * min(max(fitting, 4), 48), depth: depth)
    }
  }

  /// The cheapest over the depths that models have.
  public var best: Blocks {
    func cost(_ blocks: Blocks) -> Double { [768, 1024, 3072].reduce(0) { $0 + cycles(blocks, depth: $1).total } }
    return candidates.min { cost($0) < cost($1) } ?? Blocks(rows: 12 * tile.rows, depth: 256)
  }
}
