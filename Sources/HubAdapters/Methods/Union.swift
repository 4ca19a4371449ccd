public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Several methods in one adapter, each at its sites (He et al. 2022; Mao et al. 2022). What acts first in a layer is
/// decided by the sites and not by the order of the list.
public struct Union: AdapterMethod {
  public static let architecture: String? = "union"

  private let parts: [any AdapterMethod]

  /// - Throws: ``Failure``: what the parts throw; a union within a union; two parts that act at one site.
  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try configuration.refuseUnknown(["architecture", "configs"])
    let list = try configuration.array("configs")
    guard (1...16).contains(list.count) else {
      throw Failure(
        .invalidConfiguration, "a union has between 1 and 16 parts, not \(list.count)",
        at: configuration.path(to: "configs"))
    }
    parts = try list.enumerated().map { index, json in
      let part = try JSONObject(json, path: configuration.path(to: "configs[\(index)]")),
        type = try AdapterMethods.type(for: part)
      guard type != Union.self else {
        throw Failure(.invalidConfiguration, "a union cannot contain another union", at: part.path)
      }
      return try type.init(configuration: part, shape: shape, weights: weights) as any AdapterMethod
    }
    var taken: Set<Site> = []
    for (index, part) in parts.enumerated() {
      if let site = part.sites.intersection(taken).min() {
        throw Failure(
          .invalidConfiguration, "two parts of the union act at \(site.place.rawValue) of layer \(site.layer)",
          at: configuration.path(to: "configs[\(index)]"))
      }
      taken.formUnion(part.sites)
    }
    guard parts.count(where: { $0.embeddingAdapter != nil }) <= 1 else {
      throw Failure(
        .invalidConfiguration, "two parts of the union change the embeddings", at: configuration.path(to: "configs"))
    }
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    (configuration.members["configs"]?.array ?? []).reduce(ImpliedSizes(weights)) { sizes, part in
      guard let part = try? JSONObject(part), let type = try? AdapterMethods.type(for: part), type != Union.self else {
        return sizes
      }
      return sizes.joined(with: type.impliedSizes(part, weights, hiddenSize: hiddenSize))
    }
  }

  public var looksAtWholeTexts: Bool { parts.contains { $0.looksAtWholeTexts } }
  public var sites: Set<Site> { parts.reduce(into: []) { $0.formUnion($1.sites) } }
  public var embeddingAdapter: (any EmbeddingAdapter)? { parts.lazy.compactMap(\.embeddingAdapter).first }
  public var promptAdapter: (any PromptAdapter)? { parts.lazy.compactMap(\.promptAdapter).first }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? {
    parts.lazy.compactMap { $0.sublayerAdapter(at: site) }.first
  }
  public func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? {
    parts.lazy.compactMap { $0.projectionAdapter(at: site) }.first
  }
  public func prefixAdapter(at site: Site) -> (any PrefixAdapter)? {
    parts.lazy.compactMap { $0.prefixAdapter(at: site) }.first
  }
  public func layerAdapter(at index: Int) -> (any LayerAdapter)? {
    parts.lazy.compactMap { $0.layerAdapter(at: index) }.first
  }
  public var parameters: [Parameter] { parts.flatMap(\.parameters) }
  public var frozenParameters: [Parameter] { parts.flatMap(\.frozenParameters) }
}
