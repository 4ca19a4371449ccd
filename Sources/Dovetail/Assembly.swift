import HubAdapters
import HubBundle
import HubWords
import HubRegistry
import HubTensor
import HubModels
import HubTransformer
import HubWeights

/// Finds what a composition names, and makes sure that it fits the base model.
struct Assembly {
  let registry: Registry
  let identity: Manifest.Base
  let shape: ModelShape
  /// Loads weights; without one, adapters have shapes and no values.
  let engine: Engine?
  let allowingOtherWeights: Bool
  /// Those of the base's own head, for heads that bring none.
  var labels: [String]?

  /// - Parameters:
  ///   - adapter: an adapter that is not installed, by the name that the composition has for it
  ///   - fusion: the same for a fusion, by its members
  func setup(
    _ composition: Composition, adapter: (String) -> (any AdapterMethod)? = { _ in nil },
    fusion: (_ members: [String], _ sites: Set<Site>) throws -> AdapterFusion? = { _, _ in nil }
  ) throws -> Setup {
    try withoutActuallyEscaping(adapter) { adapter in
      try withoutActuallyEscaping(fusion) { fusion in
        try setup(composition, own: adapter, ownFusion: fusion)
      }
    }
  }

  private func setup(
    _ composition: Composition, own: @escaping (String) -> (any AdapterMethod)?,
    ownFusion: @escaping (_ members: [String], _ sites: Set<Site>) throws -> AdapterFusion?
  ) throws -> Setup {
    try Setup(composition) { reference in
      if let own = own(reference) { return own }
      let installed = try fitting(registry.resolve(AdapterReference(reference)))
      return try locating(installed.reference) {
        let configuration = try installed.config(), weights = try stored(installed.weights())
        return try engine.map { try AdapterMethods.load(configuration, weights, shape: shape, engine: $0) }
          ?? AdapterMethods.outline(configuration, weights, shape: shape)
      }
    } fusion: { members, name, sites in
      if let own = try ownFusion(members, sites) { return own }
      let names = try members.map { try AdapterReference($0).name.text }
      let installed = try fitting(registry.resolveFusion(members: names, name: name))
      return try locating(installed.reference) {
        let configuration = try installed.config(), weights = try stored(installed.weights())
        func built(_ source: ParameterSource) throws -> AdapterFusion {
          try AdapterFusion(configuration: configuration, sites: sites, shape: shape, weights: source)
        }
        return try engine.map { try weights.load(engine: $0, built) } ?? weights.check(built)
      }
    }
  }

  private func fitting(_ installed: InstalledAdapter) throws -> InstalledAdapter {
    try locating(installed.reference) {
      try installed.manifest.base.checkFits(identity, allowingOtherWeights: allowingOtherWeights)
    }
    return installed
  }

  private func stored(_ file: WeightFile) throws -> StoredWeights {
    // What is only looked at is not read.
    if engine != nil { try file.checkFinite() }
    return StoredWeights(file.tensors)
  }

  /// Loads the head of an adapter.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/missingHead`` if the adapter has no head.
  func head(of owner: InstalledAdapter?, engine: Engine) throws -> ComposedModel.NamedHead {
    guard let owner else {
      throw Failure(
        .missingHead, "the base model alone has no head to answer with", hint: "say whose head answers with --head NAME"
      )
    }
    guard let head = try fitting(owner).head() else {
      throw Failure(
        .missingHead, "the adapter \(owner.name.text.debugDescription) has no head", at: owner.reference,
        hint: "put a task adapter last, or say whose head answers with --head NAME")
    }
    return try locating("\(owner.reference) head") {
      ComposedModel.NamedHead(
        try Heads.load(labelled(head.configuration), stored(head.weights), shape: shape, engine: engine),
        name: owner.name.text)
    }
  }

  /// The configuration of a head with the base's labels, if it has none and these are as many.
  private func labelled(_ head: JSONObject) -> JSONObject {
    guard let labels, [nil, .null].contains(head.members["label2id"]),
      head.members["num_labels"]?.integer == labels.count
    else { return head }
    let ids = labels.enumerated().reduce(into: JSON.Members()) { $0[$1.element] = .integer($1.offset) }
    return JSONObject(head.members.with(["label2id": .object(ids)]), path: head.path)
  }
}

extension Registry {
  /// The adapters whose heads answer, whether they have one or not: the one that is named, that of the last adapter or
  /// fusion, or one for each branch of a `parallel` and each part of a `batch_split`. `nil` where nothing can answer.
  func headOwners(_ composition: Composition?, named name: String?) throws -> [InstalledAdapter?] {
    if let name { return [try resolve(AdapterReference(name))] }
    switch composition?.lastNode {
    case .parallel(let children)?, .batchSplit(let children, _)?: return try children.map(headOwner)
    default: return [try composition.flatMap(headOwner)]
    }
  }

  private func headOwner(_ composition: Composition) throws -> InstalledAdapter? {
    switch composition.lastNode {
    case .fuse(let children, let name): try resolveFusion(members: Self.names(of: children), name: name)
    case .adapter(let reference): try resolve(AdapterReference(reference))
    default: nil
    }
  }

  /// The names of what a fusion mixes.
  static func names(of children: [Composition]) throws -> [String] {
    try Composition.members(of: children).map { try AdapterReference($0).name.text }
  }
}

extension Composition {
  /// The adapter, the fusion or the block that works last.
  fileprivate var lastNode: Composition {
    switch self {
    case .stack(let children): children.last?.lastNode ?? self
    case .drop(let child, _): child.lastNode
    default: self
    }
  }
}
