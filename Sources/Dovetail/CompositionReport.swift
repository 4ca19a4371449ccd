import HubAdapters
public import HubBundle
public import HubWords
import HubModels
import HubRegistry
import HubTensor
import HubTransformer

/// What a composition is and does on a base model.
public struct CompositionReport: Sendable {
  /// One adapter of the composition, and what it does.
  public struct Adapter: Sendable {
    /// As the composition calls it.
    public let name: String
    /// To exactly the version that is meant.
    public let reference: String
    /// The name of its method, such as `seq_bn`.
    public let method: String
    /// The kinds of places where it acts, in the order in which a layer reaches them.
    public let places: [String]
    /// Such as `0-3, 5`.
    public let layers: String
    /// Numbers in its weights, its head not counted.
    public let parameterCount: Int
  }

  /// A trained fusion of the composition.
  public struct Fusion: Sendable {
    /// The name that it is installed under.
    public let name: String
    /// Numbers in its weights.
    public let parameterCount: Int
  }

  /// What was asked about.
  public let composition: Composition
  /// The base model that it is composed on.
  public let base: Manifest.Base
  /// Each adapter once, in the order of the text.
  public let adapters: [Adapter]
  /// Each fusion once, in the order of the text.
  public let fusions: [Fusion]
  /// The places of the base model where something is changed.
  public let siteCount: Int
  /// Answers for each text: one for each branch of a `parallel`.
  public let copies: Int
  /// What answers: the adapter, and what kind of head it has.
  public let heads: [String]
  /// The numbers in the base model's own matrices: each is multiplied once for each token, as those of an adapter are.
  public let baseMatrixSize: Int
}

extension Hub {
  /// Explains a composition without running it: the adapters' and the base model's weights are not read.
  ///
  /// - Throws: ``Failure``, as ``compose(_:on:head:allowingOtherWeights:)`` for everything but the head.
  public func explain(
    _ composition: Composition, on baseName: String, allowingOtherWeights: Bool = false
  ) throws -> CompositionReport {
    let record = try registry.baseModel(baseName), checkpoint = try Checkpoint(folder: record.folder)
    let identity = record.identity
    let model = try checkpoint.outline()
    let assembly = Assembly(
      registry: registry, identity: identity, shape: model.shape, engine: nil,
      allowingOtherWeights: allowingOtherWeights)
    let (composition, head) = try registry.expanded(composition)
    let setup = try assembly.setup(composition)
    let adapters = try setup.uses.map { use in
      let installed = try registry.resolve(AdapterReference(use.name))
      return CompositionReport.Adapter(
        name: use.name, reference: installed.reference, method: installed.manifest.method,
        places: Set(use.sites.map(\.place)).sorted().map(\.rawValue) + (use.changesEmbeddings ? ["embeddings"] : []),
        layers: Composition.text(ofLayers: Set(use.sites.map(\.layer))), parameterCount: use.parameterCount)
    }
    return CompositionReport(
      composition: composition, base: identity, adapters: adapters,
      fusions: setup.fusions.map { .init(name: $0.name, parameterCount: $0.parameterCount) },
      siteCount: setup.siteCount, copies: setup.copies, heads: try heads(composition, head),
      baseMatrixSize: model.matrices.reduce(0) { $0 + $1.count })
  }

  private func heads(_ composition: Composition, _ head: String?) throws -> [String] {
    try registry.headOwners(composition, named: head).compactMap { owner in
      guard let owner, let head = try owner.head() else { return nil }
      return "\(owner.name) (\(try head.configuration.string("head_type")))"
    }
  }
}
