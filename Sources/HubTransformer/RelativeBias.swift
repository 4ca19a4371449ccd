import Foundation
import HubTensor

/// What a learned table adds to scores by the distance between key and query (Raffel et al. 2020): one value a head for
/// each of the nearest distances, then for ranges that grow with their logarithm.
struct RelativeBias: Sendable {
  /// `[buckets, heads]`
  let table: Parameter
  let maximumDistance: Int
  let isCausal: Bool

  /// What is added to the scores of all layers of a pass, computed with the first.
  ///
  /// - Parameter pass: what the layers have in common
  func pass(_ pass: LayerPass, in context: Context) -> LayerPass {
    var known: [[Int]: AttentionBias] = [:]
    var pass = pass
    pass.bias = { extent in
      let key = [extent.positions.lowerBound, extent.positions.upperBound, extent.keyCount]
      if let bias = known[key] { return bias }
      let bias = AttentionBias(matrices(extent.positions, extent.keyCount, in: context), from: key[0])
      known[key] = bias
      return bias
    }
    return pass
  }

  /// `[heads * positions, keys]`; a prefix's keys stand before the others and count as such.
  private func matrices(_ positions: Range<Int>, _ keys: Int, in context: Context) -> Tensor {
    let distances = -positions.upperBound...keys
    let buckets = distances.map { bucket($0) }
    return context.relativeBiases(
      table, positions, keys: keys, buckets: buckets, firstDistance: distances.lowerBound)
  }

  /// In float32, as the library has it: a bucket's edge depends on rounding.
  ///
  /// - Parameter distance: the key's position, less the query's
  func bucket(_ distance: Int) -> Int {
    let half = isCausal ? table.rows : table.rows / 2
    let base = !isCausal && distance > 0 ? half : 0
    let n = isCausal ? max(-distance, 0) : abs(distance), exact = max(1, half / 2)
    if n < exact { return base + n }
    let share = log(Float(n) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
    return base + min(exact + Int(share * Float(half - exact)), half - 1)
  }
}
