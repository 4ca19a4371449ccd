public import HubWords
public import HubTensor
public import HubModels
import HubTransformer

extension Failure.Code {
  /// A fusion is to be pruned whose attention nobody looked at.
  public static let missingStatistics = Self("setup/missing-statistics", .usage)
}

/// How much of their attention fusions gave to each of their members, over the texts of any number of passes:
///
/// ```swift
/// let statistics = FusionStatistics()
/// var observer = ComposedAdapters.Observer()
/// observer.fusion = statistics.add
/// … // passes with this observer
/// let smaller = try setup.pruned(to: 2, by: statistics)
/// ```
public final class FusionStatistics {
  private var sums: [String: [Site: (attention: [Double], tokens: Int)]] = [:]

  public init() {}

  /// - Parameters:
  ///   - fusion: what compositions call it
  ///   - attention: `[rows, members that act here]`
  public func add(_ fusion: String, _ site: Site, _ attention: Tensor) {
    var sum = sums[fusion]?[site] ?? (Array(repeating: 0, count: attention.columns), 0)
    for row in 0..<attention.rows {
      for (member, share) in attention.row(row).enumerated() { sum.attention[member] += Double(share) }
    }
    sum.tokens += attention.rows
    sums[fusion, default: [:]][site] = sum
  }

  /// The mean attention over the tokens, at each site to each member that acts there; empty for a fusion that was not
  /// seen.
  public func attention(of fusion: String) -> [Site: [Double]] {
    (sums[fusion] ?? [:]).mapValues { sum in sum.attention.map { $0 / Double(max(1, sum.tokens)) } }
  }
}

extension Setup {
  /// The setup with each fusion over its `count` most active members only (AdapterDrop, Rücklé et al. 2021): its time
  /// falls with their number, and the answers change the less, the less attention the others had. The weights of a
  /// fusion do not depend on how many members it has, and stay.
  ///
  /// - Parameter inEachLayer: whether each layer has most active members of its own, as in the paper, which leaves a
  ///   fusion over adapters with layers dropped; otherwise all have the same
  /// - Throws: ``Failure`` with code ``Failure/Code/missingStatistics``, or ``Failure/Code/unsuitableBlock`` for
  ///   requests that share a pass, and where two fusions could not be told apart any more.
  public func pruned(to count: Int, by statistics: FusionStatistics, inEachLayer: Bool = false) throws -> Setup {
    if case .route(_, let routing) = root, routing.isIndependent {
      throw Failure(.unsuitableBlock, "setups that share a pass are pruned one by one")
    }
    guard count > 0 else { throw Failure(.missingStatistics, "a fusion needs at least one member, not \(count)") }
    /// What the fusions that are left were called before.
    var origins: [String: String] = [:]
    func pruned(_ composition: Composition) throws -> Composition {
      switch composition {
      case .fuse(let children, let name):
        let label = Self.label(name, Composition.members(of: children))
        let activities = root.activities(of: label, by: statistics)
        guard !activities.isEmpty else {
          throw Failure(
            .missingStatistics, "the fusion's attention was not observed",
            at: self.composition.pointing(at: composition))
        }
        let overall = children.indices.map { member in activities.values.reduce(0) { $0 + $1[member] } }
        let kept = activities.mapValues { mostActive(inEachLayer ? $0 : overall, count) }
        let members = children.enumerated().compactMap { member, child in
          child.dropped(in: Set(kept.filter { !$1.contains(member) }.keys), of: kept.count)
        }
        let known = origins.updateValue(label, forKey: Self.label(name, Composition.members(of: members)))
        guard known ?? label == label else {
          throw Failure(
            .unsuitableBlock, "two fusions would be left with the same members",
            at: self.composition.pointing(at: composition))
        }
        return .fuse(members, name: name)
      case .stack(let children): return .stack(try children.map(pruned))
      case .drop(let child, let layers): return .drop(try pruned(child), layers: layers)
      case .adapter, .base, .split, .batchSplit, .parallel, .average, .multiTask, .custom: return composition
      }
    }
    let methods = Dictionary(root.leaves.map { ($0.name, $0.method) }) { first, _ in first }
    return try Setup(pruned(composition)) {
      methods[$0]
    } fusion: { members, name, _ in
      origins[Self.label(name, members)].flatMap(fusion)
    }
  }

  private static func label(_ name: String?, _ members: [String]) -> String { name ?? members.joined(separator: ",") }

  /// The fusion that compositions call so.
  public func fusion(_ name: String) -> AdapterFusion? { root.fusions.first { $0.0 == name }?.1 }
}

/// The numbers of the `count` largest; of equal ones the first.
private func mostActive(_ activities: [Double], _ count: Int) -> Set<Int> {
  Set(activities.indices.sorted { (activities[$1], $0) < (activities[$0], $1) }.prefix(count))
}

extension Composition {
  /// Without these of so many layers; `nil` if none is left.
  fileprivate func dropped(in layers: Set<Int>, of count: Int) -> Composition? {
    if layers.isEmpty { return self }
    if layers.count == count { return nil }
    if case .drop(let child, let others) = self { return .drop(child, layers: layers.union(others)) }
    return .drop(self, layers: layers)
  }
}

extension Setup.Node {
  /// How active each member of a fusion was in each layer; one that does not act in a layer was not.
  fileprivate func activities(of fusion: String, by statistics: FusionStatistics) -> [Int: [Double]] {
    guard case .fuse(let nodes, _, fusion) = self else {
      return children.lazy.map { $0.activities(of: fusion, by: statistics) }.first { !$0.isEmpty } ?? [:]
    }
    return statistics.attention(of: fusion).reduce(into: [:]) { activities, item in
      let acting = nodes.indices.filter { nodes[$0].last?.sublayerAdapter(at: item.key) != nil }
      for (member, share) in zip(acting, item.value) {
        activities[item.key.layer, default: Array(repeating: 0, count: nodes.count)][member] += share
      }
    }
  }
}
