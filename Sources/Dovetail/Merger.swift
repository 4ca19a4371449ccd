public import HubAdapters
public import HubBundle
public import HubWords
import HubWeights

/// Makes the bundle of an adapter that is calculated from others, and says of what it was made.
public struct Merger: Sendable {
  /// One of the adapters that are merged.
  public struct Parent: Sendable {
    /// Its configuration, weights and head.
    public let content: AdapterContent
    /// The digest of its bundle, which the result names as its source.
    public let digest: Digest

    public init(_ content: AdapterContent, digest: Digest) {
      self.content = content
      self.digest = digest
    }
  }

  private let parents: [Parent]
  private let weights: [Double]?
  private let normalizes: Bool
  private let strategy: Averaging.Strategy

  /// - Parameters:
  ///   - weights: one for each parent; equal ones if `nil`
  ///   - normalizes: whether they are divided by their sum
  public init(parents: [Parent], weights: [Double]?, normalizes: Bool, strategy: Averaging.Strategy) {
    self.parents = parents
    self.weights = weights
    self.normalizes = normalizes
    self.strategy = strategy
  }

  /// The bundle's parts, and what could not be carried over.
  ///
  /// - Throws: ``Failure``: adapters of different bases, configurations or shapes.
  public func builder(named name: AdapterName) throws -> (BundleBuilder, notes: [String]) {
    guard let first = parents.first?.content.manifest else {
      throw Failure(.unequalAdapters, "there is nothing to merge")
    }
    for parent in parents.dropFirst() {
      try locating(parent.content.manifest.name.text) {
        try parent.content.manifest.base.checkFits(first.base, allowingOtherWeights: false)
      }
    }
    let members = parents.map {
      StoredModule(configuration: $0.content.configuration.members, weights: $0.content.weights)
    }
    let averaging = try Averaging(members, weights: weights, normalizes: normalizes)
    let result = try averaging.result(strategy)
    let (head, notes) = self.head()
    var manifest = Manifest(name: name, kind: .merged, method: first.method, base: first.base)
    manifest.labels = head == nil ? nil : first.labels
    manifest.languages = Array(Set(parents.flatMap { $0.content.manifest.languages })).sorted()
    manifest.source = [
      "format": "merge", "strategy": .string(strategy.description), "normalized": .bool(normalizes),
      "parents": .array(parents.enumerated().map(parent)),
    ]
    return (
      BundleBuilder(manifest: manifest, config: .object(result.configuration), weights: result.weights, head: head),
      notes
    )
  }

  private func parent(_ index: Int, _ parent: Parent) -> JSON {
    let manifest = parent.content.manifest
    return [
      "name": .string(manifest.name.text), "version": .string(manifest.version.description),
      "digest": .string(parent.digest.description),
      "weight": .number(weights?[index] ?? 1 / Double(parents.count)),
    ]
  }

  /// Heads are averaged if all parents have one, and these differ in nothing but their weights.
  private func head() -> (StoredModule?, notes: [String]) {
    let heads = parents.compactMap(\.content.head)
    if heads.isEmpty { return (nil, []) }
    guard heads.count == parents.count,
      let result = try? Averaging(heads, weights: weights, normalizes: normalizes).result()
    else {
      return (nil, ["the heads answer different questions and were left out"])
    }
    return (result, [])
  }
}

extension Averaging.Strategy: CustomStringConvertible {
  public var description: String {
    switch self {
    case .linear: "linear"
    case .negatingB: "negate-b"
    case .product(let rank): "svd, rank \(rank)"
    }
  }
}
