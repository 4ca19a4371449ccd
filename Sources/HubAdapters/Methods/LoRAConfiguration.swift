import HubManifest
import HubTransformer

/// The configuration of an adapter of linear layers: AdapterHub's keys with the library's defaults.
struct LoRAConfiguration: Sendable {
  enum Kind: Sendable {
    /// `W x + b + s·B A x`
    case lowRank
    /// `(W x + b) ⊙ l`
    case scale
    /// Low rank with shared frozen factors and square matrices between them, which start as `d` and `b` on the diagonal.
    case vera(d: Float, b: Float)
  }

  let kind: Kind
  let rank: Int
  let alpha: Float
  let isGated: Bool
  let hasMagnitude: Bool
  /// Of the first and the second factor.
  let initialWeights: (a: Initializer, b: Initializer)
  private let places: Set<Site.Place>
  private let leavesOut: Set<Int>

  /// - Parameter others: keys that the method reads itself
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` or ``Failure/Code/unsupportedAdapter``
  ///   that names the key.
  init(_ c: JSONObject, others: Set<String> = []) throws {
    try c.refuseUnknown(Self.known.union(others))
    kind = try Self.kind(c)
    rank = try c.optionalInteger("r") ?? 8
    guard (1...65_536).contains(rank) else { throw Failure(.invalidConfiguration, "a rank of \(rank) is not between 1 and 65536", at: c.path(to: "r")) }
    alpha = Float(try c.optionalNumber("alpha") ?? 8)
    isGated = try c.optionalBool("use_gating") ?? false
    hasMagnitude = try c.optionalBool("use_dora") ?? false
    initialWeights = try Self.initializers(c)
    places = try Self.places(c)
    leavesOut = Set(try c.optional("leave_out", "an array of layer numbers") { $0.integers } ?? [])
    if case .scale = kind {
      guard rank == 1 else { throw Failure(.invalidConfiguration, "a scaling has the rank 1, not \(rank)", at: c.path(to: "r")) }
      guard !hasMagnitude else { throw Failure(.invalidConfiguration, "a scaling has no magnitudes", at: c.path(to: "use_dora")) }
    }
  }

  /// What the contribution is multiplied by where no gate decides.
  var scaling: Float { if case .scale = kind { alpha } else { alpha / Float(rank) } }

  /// The linear layers that are adapted, in the order in which a layer applies them.
  func sites(_ shape: BaseShape) -> [Site] {
    (0..<shape.layers).filter { !leavesOut.contains($0) }.flatMap { layer in
      Site.Place.allCases.filter(places.contains).map { Site(layer, $0) }
    }
  }
}

extension LoRAConfiguration {
  private static let known: Set<String> = [
    "architecture", "selfattn_lora", "intermediate_lora", "output_lora", "leave_out", "r", "alpha", "dropout", "attn_matrices",
    "composition_mode", "init_weights", "init_weights_seed", "use_gating", "use_dora", "vera_d", "vera_b", "dtype",
  ]

  private static func kind(_ c: JSONObject) throws -> Kind {
    let mode = try c.optionalString("composition_mode") ?? "add"
    let d = try c.optionalNumber("vera_d"), b = try c.optionalNumber("vera_b")
    switch (mode, d, b) {
    case ("add", nil, nil): return .lowRank
    case ("add", let d?, let b?): return .vera(d: Float(d), b: Float(b))
    case ("scale", nil, nil): return .scale
    case ("add", nil, _), ("scale", _, _?): throw Failure(.invalidConfiguration, "vera_d and vera_b come together, and only with \"add\"", at: c.path(to: "vera_b"))
    case ("add", _, nil), ("scale", _?, _): throw Failure(.invalidConfiguration, "vera_d and vera_b come together, and only with \"add\"", at: c.path(to: "vera_d"))
    default: throw Failure(.invalidConfiguration, "composition_mode is \"add\" or \"scale\", not \(mode.debugDescription)", at: c.path(to: "composition_mode"))
    }
  }

  private static func places(_ c: JSONObject) throws -> Set<Site.Place> {
    var places: Set<Site.Place> = []
    if try c.optionalBool("selfattn_lora") ?? true {
      for name in try c.optionalStrings("attn_matrices") ?? ["q", "v"] {
        guard let place = (["q": .query, "k": .key, "v": .value] as [String: Site.Place])[name] else {
          throw Failure(.invalidConfiguration, "attn_matrices is of q, k and v; \(name.debugDescription) is none of them", at: c.path(to: "attn_matrices"))
        }
        places.insert(place)
      }
    }
    if try c.optionalBool("intermediate_lora") ?? false { places.insert(.intermediate) }
    if try c.optionalBool("output_lora") ?? false { places.insert(.output) }
    return places
  }

  private static func initializers(_ c: JSONObject) throws -> (Initializer, Initializer) {
    let name = try c.optionalString("init_weights") ?? "lora"
    switch name {
    case "lora": return (.kaimingUniform(a: Float(5).squareRoot()), .zeros)
    case "bert": return (.normal(deviation: 0.02), .normal(deviation: 0.02))
    case "ia3": return (.ones, .ones)
    case "vera": return (.kaimingUniform(a: 0), .kaimingUniform(a: 0))
    default: throw Failure(.invalidConfiguration, "init_weights is lora, bert, ia3 or vera, not \(name.debugDescription)", at: c.path(to: "init_weights"))
    }
  }
}

extension BaseShape {
  /// The input and output widths of a linear layer.
  func widths(at place: Site.Place) -> (input: Int, output: Int) {
    switch place {
    case .query, .key, .value, .attentionOutput, .attention, .feedForward, .prefix, .layer: (hiddenSize, hiddenSize)
    case .intermediate: (hiddenSize, intermediateSize)
    case .output: (intermediateSize, hiddenSize)
    }
  }
}
