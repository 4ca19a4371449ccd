public import HubManifest
public import HubTensor
public import HubTransformer

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
  private struct Activity {
    /// Of each member, over all tokens.
    var sums: [Double]
    var tokens = 0
  }

  private var activities: [String: [Site: Activity]] = [:]

  public init() {}

  /// - Parameters:
  ///   - fusion: what compositions call it
  ///   - attention: `[rows, members]`
  public func add(_ fusion: String, _ site: Site, _ attention: Tensor) {
    var activity = activities[fusion]?[site] ?? Activity(sums: Array(repeating: 0, count: attention.columns))
    for row in 0..<attention.rows {
      for (member, share) in attention.row(row).enumerated() { activity.sums[member] += Double(share) }
    }
    activity.tokens += attention.rows
    activities[fusion, default: [:]][site] = activity
  }

  /// The mean attention to each member, over the tokens and then over the sites; `nil` for a fusion that was not seen.
  public func shares(of fusion: String) -> [Double]? {
    guard let sites = activities[fusion]?.values.filter({ $0.tokens > 0 }), let first = sites.first else { return nil }
    return first.sums.indices.map { member in sites.reduce(0) { $0 + $1.sums[member] / Double($1.tokens) } / Double(sites.count) }
  }
}

extension Setup {
  /// The setup with each fusion over its `count` most active members only (AdapterDrop, Rücklé et al. 2021): its time falls
  /// with their number, the answers change the less, the less attention the others had. The weights of a fusion do not
  /// depend on how many members it has, and stay.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/missingStatistics``, or ``Failure/Code/unsuitableBlock`` for requests that
  ///   share a pass.
  public func pruned(to count: Int, by statistics: FusionStatistics) throws -> Setup {
    if case .requests = root { throw Failure(.unsuitableBlock, "setups that share a pass are pruned one by one") }
    guard count > 0 else { throw Failure(.missingStatistics, "a fusion of \(count) members is none") }
    let whole = Dictionary(root.fusions) { first, _ in first }
    var left: [[String]: AdapterFusion] = [:]
    func pruned(_ composition: Composition) throws -> Composition {
      switch composition {
      case .fuse(let children, let name):
        let label = name ?? Composition.members(of: children).joined(separator: ",")
        guard let shares = statistics.shares(of: label), shares.count == children.count else {
          throw Failure(.missingStatistics, "the fusion's attention was not observed", at: self.composition.pointing(at: composition))
        }
        let kept = shares.indices.sorted { (shares[$1], $0) < (shares[$0], $1) }.prefix(count).sorted().map { children[$0] }
        left[Composition.members(of: kept)] = whole[label]
        return .fuse(kept, name: name)
      case .stack(let children): return .stack(try children.map(pruned))
      case .drop(let child, let layers): return .drop(try pruned(child), layers: layers)
      case .adapter, .base, .split, .batchSplit, .parallel, .average, .multiTask, .custom: return composition
      }
    }
    let methods = Dictionary(root.leaves.map { ($0.name, $0.method) }) { first, _ in first }
    return try Setup(pruned(composition)) { methods[$0] } fusion: { members, _, _ in left[members] }
  }

  /// The fusion that compositions call so.
  public func fusion(_ name: String) -> AdapterFusion? { root.fusions.first { $0.0 == name }?.1 }
}
