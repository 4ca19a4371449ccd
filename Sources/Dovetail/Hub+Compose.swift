import HubAdapters
public import HubManifest
import HubRegistry
public import HubTensor
import HubTransformer
import HubWeights

extension Hub {
  /// Loads a registered base model with its tokenizer.
  ///
  /// - Parameter precision: of products with the model's weights; adapters, norms and heads stay in float32
  /// - Throws: ``Failure``: no such model, its files changed since it was registered, or they cannot be loaded.
  public func baseModel(_ name: String, precision: Precision = .float32, engine: Engine? = nil) throws -> Base {
    let record = try registry.baseModel(name)
    if record.hasChanged {
      throw Failure(
        .changedModel, "the files of the base model \(name.debugDescription) changed since it was registered", at: record.folder,
        hint: "hub model remove \(name), then hub model add it again")
    }
    return try Base(
      name: name, folder: record.folder, fingerprint: record.description.fingerprint, precision: precision, cache: .users(),
      engine: engine ?? Engine())
  }

  /// Puts installed adapters together on a base model, with the head that answers.
  ///
  /// - Parameters:
  ///   - composition: `nil` runs the base model alone, which then needs a head
  ///   - head: the adapter whose head answers; without it, the last adapter of a stack, or the fusion
  ///   - allowingOtherWeights: accepts adapters that were trained on other weights of the same architecture
  /// - Throws: ``Failure``: names that are not installed, adapters of another base, weights that do not fit, a setup
  ///   without a head.
  public func compose(_ composition: Composition?, on base: Base, head: String? = nil, allowingOtherWeights: Bool = false) throws -> ComposedModel {
    let assembly = Assembly(registry: registry, base: base, allowingOtherWeights: allowingOtherWeights)
    let setup = try composition.map(assembly.setup)
    guard setup?.copies ?? 1 == 1 else {
      throw Failure(.missingHead, "a parallel gives several answers, and one head answers", hint: "run its branches one by one")
    }
    let answering = try assembly.head(head, for: composition)
    switch answering.answer {
    case .label, .tokenLabel, .tree: return ComposedModel(base: base, setup: setup, head: answering)
    case .labels, .choice, .span, .word:
      throw Failure(.unsupportedHead, "heads that give more than one label are run from code: their logits are there, and no answer in words yet")
    }
  }
}

/// Loads what a composition names.
private struct Assembly {
  let registry: Registry
  let base: Base
  let allowingOtherWeights: Bool

  func setup(_ composition: Composition) throws -> Setup {
    try Setup(composition) { reference in
      let installed = try fitting(registry.resolve(AdapterReference(reference)))
      return try locating(installed.reference) {
        try AdapterMethods.load(installed.config(), stored(installed.weights()), shape: base.model.shape, engine: base.engine)
      }
    } fusion: { members, name, sites in
      let installed = try fitting(fusion(members, name))
      return try locating(installed.reference) {
        let configuration = try installed.config()
        return try stored(installed.weights()).load(engine: base.engine) {
          try AdapterFusion(configuration: configuration, sites: sites, shape: base.model.shape, weights: $0)
        }
      }
    }
  }

  private func fusion(_ members: [String], _ name: String?) throws -> InstalledAdapter {
    try registry.resolveFusion(members: members.map { try AdapterReference($0).name.text }, name: name)
  }

  private func fitting(_ installed: InstalledAdapter) throws -> InstalledAdapter {
    try locating(installed.reference) {
      try installed.manifest.base.checkFits(base.identity, allowingOtherWeights: allowingOtherWeights)
    }
    return installed
  }

  private func stored(_ file: WeightFile) throws -> StoredWeights {
    try file.checkFinite()
    return StoredWeights(file.tensors)
  }

  func head(_ name: String?, for composition: Composition?) throws -> any Head {
    guard let owner = try headOwner(name, composition) else {
      throw Failure(.missingHead, "the base model alone answers nothing", hint: "name an adapter whose head answers with --head")
    }
    guard let head = try fitting(owner).head() else {
      throw Failure(
        .missingHead, "the adapter \(owner.name.text.debugDescription) has no head", at: owner.reference,
        hint: "put a task adapter last, or name an adapter whose head answers with --head")
    }
    return try locating("\(owner.reference) head") {
      try Heads.load(head.configuration, stored(head.weights), shape: base.model.shape, engine: base.engine)
    }
  }

  private func headOwner(_ name: String?, _ composition: Composition?) throws -> InstalledAdapter? {
    if let name { return try registry.resolve(AdapterReference(name)) }
    switch composition?.lastNode {
    case .fuse(let children, let name)?: return try fusion(Composition.members(of: children), name)
    case .adapter(let reference)?: return try registry.resolve(AdapterReference(reference))
    case .base?, .drop?, .stack?, .split?, .batchSplit?, .parallel?, .average?, .multiTask?, nil: return nil
    }
  }
}

extension Composition {
  /// The adapter or fusion that works last.
  fileprivate var lastNode: Composition? {
    switch self {
    case .stack(let children): children.last?.lastNode
    case .drop(let child, _): child.lastNode
    default: self
    }
  }
}
