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

  func setup(_ composition: Composition) throws -> Setup {
    try Setup(composition) { reference in
      let installed = try fitting(registry.resolve(AdapterReference(reference)))
      return try locating(installed.reference) {
        let configuration = try installed.config(), weights = try stored(installed.weights())
        return try engine.map { try AdapterMethods.load(configuration, weights, shape: shape, engine: $0) }
          ?? AdapterMethods.outline(configuration, weights, shape: shape)
      }
    } fusion: { members, name, sites in
      let installed = try fitting(fusion(members, name))
      return try locating(installed.reference) {
        let configuration = try installed.config(), weights = try stored(installed.weights())
        func built(_ source: ParameterSource) throws -> AdapterFusion {
          try AdapterFusion(configuration: configuration, sites: sites, shape: shape, weights: source)
        }
        return try engine.map { try weights.load(engine: $0, built) } ?? weights.check(built)
      }
    }
  }

  private func fusion(_ members: [String], _ name: String?) throws -> InstalledAdapter {
    try registry.resolveFusion(members: members.map { try AdapterReference($0).name.text }, name: name)
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

  func head(_ name: String?, for composition: Composition?, engine: Engine) throws -> ComposedModel.NamedHead {
    guard let owner = try headOwner(name, composition) else {
      throw Failure(
        .missingHead, "the base model alone answers nothing", hint: "name an adapter whose head answers with --head")
    }
    guard let head = try fitting(owner).head() else {
      throw Failure(
        .missingHead, "the adapter \(owner.name.text.debugDescription) has no head", at: owner.reference,
        hint: "put a task adapter last, or name an adapter whose head answers with --head")
    }
    return try locating("\(owner.reference) head") {
      ComposedModel.NamedHead(
        try Heads.load(head.configuration, stored(head.weights), shape: shape, engine: engine), name: owner.name.text)
    }
  }

  /// The adapter whose head answers, whether it has one or not; `nil` if it cannot be one.
  func headOwner(_ name: String?, _ composition: Composition?) throws -> InstalledAdapter? {
    if let name { return try registry.resolve(AdapterReference(name)) }
    switch composition?.lastNode {
    case .fuse(let children, let name)?: return try fusion(Composition.members(of: children), name)
    case .adapter(let reference)?: return try registry.resolve(AdapterReference(reference))
    case .base?, .drop?, .stack?, .split?, .batchSplit?, .parallel?, .average?, .multiTask?, .custom?, nil: return nil
    }
  }
}

extension Composition {
  /// The adapter or fusion that works last.
  var lastNode: Composition? {
    switch self {
    case .stack(let children): children.last?.lastNode
    case .drop(let child, _): child.lastNode
    default: self
    }
  }
}
