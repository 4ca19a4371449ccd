public import HubBundle
public import HubWords
import HubRegistry

extension Hub {
  /// The parts of a bundle that holds a composition with everything it needs: the adapters, the fusions and the head.
  ///
  /// - Parameters:
  ///   - composition: of installed adapters; installed compositions in it become parts of the new one
  ///   - head: the adapter whose head answers, if it is not the last one's
  /// - Throws: ``Failure``: names that are not installed, adapters of different bases, a fusion that nobody trained.
  public func builder(of composition: Composition, head: String? = nil, named name: AdapterName) throws -> BundleBuilder
  {
    let expanded = try registry.expanded(composition)
    var members: [InstalledAdapter] = []
    func pin(_ adapter: InstalledAdapter) -> String {
      if !members.contains(where: { $0.reference == adapter.reference }) { members.append(adapter) }
      return adapter.reference
    }
    let setup = try expanded.setup.replacing { reference in
      .adapter(pin(try adapter(reference)))
    } fusion: { children, name in
      pin(try registry.resolveFusion(members: Registry.names(of: children), name: name))
    }
    try setup.check()
    let pinned = PinnedComposition(setup, head: try (head ?? expanded.head).map { pin(try adapter($0)) })
    members.sort { ($0.name, $0.version) < ($1.name, $1.version) }
    var manifest = Manifest(
      name: name, kind: .composition, method: AdapterKind.composition.rawValue, base: try base(of: members))
    manifest.dependencies = members.map {
      Manifest.Dependency(Manifest.Member(name: $0.name, version: $0.version, digest: $0.digest))
    }
    manifest.languages = Set(members.flatMap(\.manifest.languages)).sorted()
    let owners = try registry.headOwners(pinned.setup, named: pinned.head)
    if owners.count == 1, let owner = owners[0] {
      (manifest.task, manifest.labels) = (owner.manifest.task, owner.manifest.labels)
    }
    var builder = BundleBuilder(manifest: manifest, config: pinned.json, weights: [])
    builder.members = try members.map(registry.packable)
    return builder
  }

  /// The base model that all members were trained on, as the one describes it that knows most.
  private func base(of members: [InstalledAdapter]) throws -> Manifest.Base {
    guard let best = members.first(where: { $0.manifest.base.fingerprint != nil }) ?? members.first else {
      throw Failure(
        .malformedPinning, "the base model alone is not a composition that can be packed",
        hint: "name at least one adapter")
    }
    for member in members {
      try locating(member.reference) {
        try member.manifest.base.checkFits(best.manifest.base, allowingOtherWeights: false)
      }
    }
    return best.manifest.base
  }
}
