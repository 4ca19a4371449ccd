import HubAdapters
public import HubBundle
import HubWords
import HubModels
import HubTransformer
import HubWeights

/// Whether a bundle is what its configuration says: a known method with values in their range, and exactly the tensors
/// that follow from it, before any base model is at hand.
public enum BundleCheck {
  /// - Returns: the number of sites where the adapter acts.
  /// - Throws: ``Failure`` that names the key or the tensor.
  @discardableResult
  public static func check(_ bundle: HubBundle.Bundle) throws -> Int {
    if bundle.manifest.kind == .composition { return try checkComposition(bundle) }
    for tensor in bundle.weights.tensors + (bundle.head?.weights.tensors ?? []) where !tensor.type.isFloatingPoint {
      throw Failure(.tensorType, "expected floating-point numbers, found \(tensor.type.rawValue)", at: tensor.name)
    }
    let weights = StoredWeights(bundle.weights.tensors)
    let shape = try shape(of: bundle)
    let sites = try locating("weights.safetensors") {
      bundle.manifest.kind == .fusion
        ? try checkFusion(bundle, weights, shape) : try checkAdapter(bundle, weights, shape)
    }
    if let head = bundle.head {
      try locating("head") { try Heads.check(head.config, StoredWeights(head.weights.tensors), shape: shape) }
    }
    return sites
  }

  /// Checks each member, and that they can stand where the composition puts them.
  private static func checkComposition(_ bundle: HubBundle.Bundle) throws -> Int {
    let references = bundle.manifest.composed.map(\.reference),
      members = Dictionary(zip(references, bundle.members)) { first, _ in first }
    for (reference, member) in zip(references, bundle.members) { _ = try locating(reference) { try check(member) } }
    let setup = try Setup(PinnedComposition(bundle.config).setup) { reference in
      try members[reference].map {
        try AdapterMethods.outline($0.config, StoredWeights($0.weights.tensors), shape: shape(of: $0))
      }
    } fusion: { _, name, sites in
      try members[name ?? ""].map { fusion in
        let weights = StoredWeights(fusion.weights.tensors), shape = try shape(of: fusion)
        return try weights.check {
          try AdapterFusion(configuration: fusion.config, sites: sites, shape: shape, weights: $0)
        }
      }
    }
    return setup.siteCount
  }

  private static func checkAdapter(
    _ bundle: HubBundle.Bundle, _ weights: StoredWeights, _ shape: ModelShape
  ) throws -> Int {
    let adapter = try AdapterMethods.outline(bundle.config, weights, shape: shape)
    return adapter.sites.count + (adapter.embeddingAdapter == nil ? 0 : 1) + (adapter.promptAdapter == nil ? 0 : 1)
  }

  /// A fusion acts where it has weights.
  private static func checkFusion(
    _ bundle: HubBundle.Bundle, _ weights: StoredWeights, _ shape: ModelShape
  ) throws -> Int {
    let sites = Set(bundle.weights.tensors.compactMap { Site(tensor: $0.name) })
    guard !sites.isEmpty else { throw Failure(.idleAdapter, "the fusion has no weights at any site") }
    _ = try weights.check { try AdapterFusion(configuration: bundle.config, sites: sites, shape: shape, weights: $0) }
    return sites.count
  }

  /// The base as far as the bundle tells.
  private static func shape(of bundle: HubBundle.Bundle) throws -> ModelShape {
    let base = bundle.manifest.base, weights = StoredWeights(bundle.weights.tensors)
    let implied =
      bundle.manifest.kind == .fusion
      ? ImpliedSizes(weights)
      : try AdapterMethods.type(for: bundle.config).impliedSizes(bundle.config, weights, hiddenSize: base.hiddenSize)
    let layers = base.layers ?? implied.layers
    guard (0...InputLimits.layers).contains(layers) else {
      throw Failure(
        .invalidConfiguration, "a base model of \(layers) layers is over the limit of \(InputLimits.layers)")
    }
    // Without a word of it, the feed-forward block has the width that BERT and most of its relatives give it.
    return ModelShape(
      hiddenSize: base.hiddenSize, embeddingSize: implied.embeddingSize ?? base.hiddenSize,
      intermediateSize: implied.intermediateSize ?? 4 * base.hiddenSize, layers: layers,
      queryWidth: implied.queryWidth, keyWidth: implied.keyWidth ?? base.hiddenSize,
      encoderLayers: base.encoderLayers ?? implied.encoderLayers, hasGate: implied.hasGate)
  }
}
