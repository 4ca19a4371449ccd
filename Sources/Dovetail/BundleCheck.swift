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
    let sites = Set(bundle.weights.tensors.compactMap { site(of: $0.name) })
    guard !sites.isEmpty else { throw Failure(.idleAdapter, "the fusion has no weights at any site") }
    _ = try weights.check { try AdapterFusion(configuration: bundle.config, sites: sites, shape: shape, weights: $0) }
    return sites.count
  }

  /// The base as far as the bundle tells. Files of other libraries do not say how many layers it had: then it is as many
  /// as have weights or are left out.
  private static func shape(of bundle: HubBundle.Bundle) throws -> ModelShape {
    let base = bundle.manifest.base
    let parts = [.object(bundle.config.members)] + (bundle.config.members["configs"]?.array ?? [])
    let named = parts.flatMap { ($0["leave_out"]?.integers ?? []) + ($0["adapter_list"]?.integers ?? []) }
    let last = min(
      (bundle.weights.tensors.compactMap { site(of: $0.name)?.layer } + named).max() ?? -1, InputLimits.layers)
    let layers = base.layers ?? max(last + 1, prefixedLayers(bundle, parts))
    guard (0...InputLimits.layers).contains(layers) else {
      throw Failure(.invalidConfiguration, "a base of \(layers) layers is beyond the limit of \(InputLimits.layers)")
    }
    return ModelShape(
      hiddenSize: base.hiddenSize, embeddingSize: embeddingSize(bundle) ?? base.hiddenSize,
      intermediateSize: intermediateSize(bundle) ?? 4 * base.hiddenSize, layers: layers)
  }

  /// The layers of a base that a prefix has keys and values for, and those that it leaves out.
  private static func prefixedLayers(_ bundle: HubBundle.Bundle, _ parts: [JSON]) -> Int {
    guard let config = parts.first(where: { $0["architecture"] == "prefix_tuning" }) else { return 0 }
    let length = max(1, config["prefix_length"]?.integer ?? 30), leftOut = Set(config["leave_out"]?.integers ?? [])
    let width = bundle.weights.tensors.lazy.compactMap { tensor -> Int? in
      switch tensor.name {
      case "prefix.values": tensor.count / length
      case "prefix.up.weight": tensor.shape.first
      default: nil
      }
    }.first
    return (width ?? 0) / (2 * bundle.manifest.base.hiddenSize) + leftOut.count
  }

  /// The width of the embeddings, where what acts on them tells it.
  private static func embeddingSize(_ bundle: HubBundle.Bundle) -> Int? {
    bundle.weights.tensors.lazy.compactMap { tensor -> Int? in
      switch tensor.name {
      case "invertible.f.down.weight": tensor.shape.last.map { 2 * min($0, 1 << 20) }
      case "prompt.embedding": tensor.shape.last
      default: nil
      }
    }.first
  }

  /// The width of the feed-forward block, where a low-rank matrix or a scaling of its inner side tells it.
  private static func intermediateSize(_ bundle: HubBundle.Bundle) -> Int? {
    for tensor in bundle.weights.tensors {
      switch site(of: tensor.name)?.place {
      case .intermediate? where tensor.name.hasSuffix(".lora_b"): return tensor.shape.first
      case .output? where tensor.name.hasSuffix(".lora_a"): return tensor.shape.last
      case .output?
      where tensor.name.hasSuffix(".lora_b") && tensor.shape != [bundle.manifest.base.hiddenSize, 1]
        && tensor.shape.last == 1:
        return tensor.shape.first
      default: continue
      }
    }
    return nil
  }

  /// The site in a name such as `layers.3.feed_forward.down.weight`.
  private static func site(of name: String) -> Site? {
    let parts = name.split(separator: ".", maxSplits: 3)
    guard parts.count == 4, parts[0] == "layers", let layer = Int(parts[1]), (0..<InputLimits.layers).contains(layer),
      let place = Site.Place(rawValue: String(parts[2]))
    else { return nil }
    return Site(layer, place)
  }
}
