import HubWords
import HubModels
import HubTransformer

/// The configuration of an adapter of linear layers: AdapterHub's keys with the library's defaults.
///
/// What PEFT can say beyond them has keys of its own. `targets` names the adapted layers one by one,
/// `{"0.query": {"r": 4, "alpha": 8}, "2.output": {"scales_input": true}}`, and takes the place of the library's
/// switches; a target's `form` is `"matrix"` for an update that is written out, `"rotation"` for a matrix that what the
/// layer reads goes through first, and `"scaled_rotation"` for one with factors for what comes out; `use_rslora`
/// divides by `√r`; `lora_bias` gives the second factor a bias; `dora_form` is `"library"` or `"peft"`.
struct LoRAConfiguration: Sendable {
  enum Kind: Sendable {
    /// `W x + b + s·B A x`
    case lowRank
    /// `(W x + b) ⊙ l`
    case scale
    /// Low rank with shared frozen factors and square matrices between them, which start as `d` and `b` on the
    /// diagonal.
    case vera(d: Float, b: Float)
  }

  /// Where the magnitudes of DoRA act: as in the Python library on the bias too, or as in the paper and in PEFT.
  enum Magnitude: Sendable {
    case withBias, withoutBias
  }

  /// One adapted linear layer.
  struct Target: Sendable {
    let site: Site
    let rank: Int
    /// What the contribution is multiplied by where no gate decides.
    let scaling: Float
    /// Whether a scaling acts on what the layer reads, rather than on what it gives.
    let scalesInput: Bool
    let form: Form

    enum Form: String, Sendable {
      /// What the kind of the adapter says.
      case usual
      /// `W x + b + M x`
      case matrix
      /// `W M x + b`
      case rotation
      /// `s ⊙ W M x + b`
      case scaledRotation = "scaled_rotation"
    }
  }

  let kind: Kind
  let isGated: Bool
  /// The rate at which training drops what the update reads.
  let dropout: Float
  let magnitude: Magnitude?
  let hasBias: Bool
  /// Of the first and the second factor.
  let initialWeights: (a: Initializer, b: Initializer)
  private let rank: Int
  private let alpha: Float
  private let dividesByRoot: Bool
  private let places: Set<Site.Place>
  private let leavesOut: Set<Int>
  private let named: JSONObject?

  /// - Parameter others: keys that the method reads itself
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` or ``Failure/Code/unsupportedAdapter``
  ///   that names the key.
  init(_ c: JSONObject, others: Set<String> = []) throws {
    try c.refuseUnknown(Self.known.union(others))
    kind = try Self.kind(c)
    rank = try Self.rank(c) ?? 8
    alpha = Float(try c.optionalNumber("alpha") ?? 8)
    dividesByRoot = try c.optionalBool("use_rslora") ?? false
    isGated = try c.optionalBool("use_gating") ?? false
    dropout = try c.dropout("dropout")
    hasBias = try c.optionalBool("lora_bias") ?? false
    magnitude = try c.optionalBool("use_dora") ?? false ? Self.magnitude(c) : nil
    named = try c.optionalObject("targets")
    guard !hasBias || magnitude == nil else {
      throw Failure(.invalidConfiguration, "an update with magnitudes cannot have a bias", at: c.path(to: "lora_bias"))
    }
    initialWeights = try Self.initializers(c)
    places = try Self.places(c)
    leavesOut = try c.layersLeftOut()
    if case .scale = kind {
      guard rank == 1 else {
        throw Failure(.invalidConfiguration, "a scaling must have the rank 1, not \(rank)", at: c.path(to: "r"))
      }
      guard magnitude == nil else {
        throw Failure(.invalidConfiguration, "a scaling cannot have magnitudes", at: c.path(to: "use_dora"))
      }
    }
  }

  /// The linear layers that are adapted, in the order in which the model applies them.
  func targets(_ shape: ModelShape) throws -> [Target] {
    guard let named else {
      return (0..<shape.layers).filter { !leavesOut.contains($0) }.flatMap { layer in
        Site.Place.allCases.map { Site(layer, $0) }.filter { places.contains($0.place) && shape.has($0) }
          .map { target($0, rank, alpha) }
      }
    }
    return try named.members.entries.map { entry in
      let key = entry.key
      guard let site = Site(linearLayer: key), shape.has(site) else {
        throw Failure(
          .invalidConfiguration, "\(key.debugDescription) is not a linear layer of a model with \(shape.layers) layers",
          at: named.path,
          hint: "write a target as \"0.query\"")
      }
      let c = try JSONObject(entry.value, path: named.path(to: key))
      try c.refuseUnknown(["r", "alpha", "scales_input", "form"])
      let scalesInput = try c.optionalBool("scales_input") ?? false
      if scalesInput, case .scale = kind {
      } else if scalesInput {
        throw Failure(.invalidConfiguration, "only a scaling can act on the input", at: c.path(to: "scales_input"))
      }
      return target(
        site, try Self.rank(c) ?? rank, Float(try c.optionalNumber("alpha") ?? Double(alpha)), scalesInput: scalesInput,
        try form(c))
    }.sorted { $0.site < $1.site }
  }

  private func form(_ c: JSONObject) throws -> Target.Form {
    guard let name = try c.optionalString("form") else { return .usual }
    guard let form = Target.Form(rawValue: name), case .lowRank = kind, !isGated, magnitude == nil, !hasBias else {
      throw Failure(
        .invalidConfiguration, "form must be matrix, rotation or scaled_rotation, without gates, magnitudes or biases",
        at: c.path(to: "form"))
    }
    return form
  }

  private func target(
    _ site: Site, _ rank: Int, _ alpha: Float, scalesInput: Bool = false, _ form: Target.Form = .usual
  ) -> Target {
    let divisor = if case .scale = kind { Float(1) } else { dividesByRoot ? Float(rank).squareRoot() : Float(rank) }
    return Target(site: site, rank: rank, scaling: alpha / divisor, scalesInput: scalesInput, form: form)
  }
}

extension Site {
  /// A linear layer called like `3.query`.
  init?(linearLayer name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let layer = Int(parts[0]), layer >= 0, "\(layer)" == parts[0],
      let place = Place(rawValue: String(parts[1])), place.isLinear
    else { return nil }
    self.init(layer, place)
  }
}

extension LoRAConfiguration {
  private static let known: Set<String> = [
    "architecture", "selfattn_lora", "intermediate_lora", "output_lora", "leave_out", "r", "alpha", "dropout",
    "attn_matrices",
    "composition_mode", "init_weights", "init_weights_seed", "use_gating", "use_dora", "vera_d", "vera_b", "dtype",
    "targets", "use_rslora", "lora_bias", "dora_form",
  ]

  private static func rank(_ c: JSONObject) throws -> Int? {
    guard let rank = try c.optionalInteger("r") else { return nil }
    guard (1...65_536).contains(rank) else {
      throw Failure.outside(1...65_536, rank, .invalidConfiguration, at: c.path(to: "r"))
    }
    return rank
  }

  private static func magnitude(_ c: JSONObject) throws -> Magnitude {
    switch try c.optionalString("dora_form") ?? "library" {
    case "library": return .withBias
    case "peft": return .withoutBias
    case let other:
      throw Failure(
        .invalidConfiguration, "dora_form is \"library\" or \"peft\", not \(other.debugDescription)",
        at: c.path(to: "dora_form"))
    }
  }

  private static func kind(_ c: JSONObject) throws -> Kind {
    let mode = try c.optionalString("composition_mode") ?? "add"
    let d = try c.optionalNumber("vera_d"), b = try c.optionalNumber("vera_b")
    switch (mode, d, b) {
    case ("add", nil, nil): return .lowRank
    case ("add", let d?, let b?): return .vera(d: Float(d), b: Float(b))
    case ("scale", nil, nil): return .scale
    case ("add", nil, _), ("scale", _, _?):
      throw Failure(
        .invalidConfiguration, "vera_d and vera_b must be given together, and only with \"add\"",
        at: c.path(to: "vera_b"))
    case ("add", _, nil), ("scale", _?, _):
      throw Failure(
        .invalidConfiguration, "vera_d and vera_b must be given together, and only with \"add\"",
        at: c.path(to: "vera_d"))
    default:
      throw Failure(
        .invalidConfiguration, "composition_mode is \"add\" or \"scale\", not \(mode.debugDescription)",
        at: c.path(to: "composition_mode"))
    }
  }

  /// What adapts a self-attention adapts a decoder's attention over the encoder's states as well.
  private static func places(_ c: JSONObject) throws -> Set<Site.Place> {
    let crossing: [Site.Place: Site.Place] = [.query: .crossQuery, .key: .crossKey, .value: .crossValue]
    var places: Set<Site.Place> = []
    if try c.optionalBool("selfattn_lora") ?? true {
      for name in try c.optionalStrings("attn_matrices") ?? ["q", "v"] {
        guard let place = (["q": .query, "k": .key, "v": .value] as [String: Site.Place])[name] else {
          throw Failure(
            .invalidConfiguration, "attn_matrices may name q, k and v, not \(name.debugDescription)",
            at: c.path(to: "attn_matrices"))
        }
        places.formUnion([place, crossing[place] ?? place])
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
    default:
      throw Failure(
        .invalidConfiguration, "init_weights is lora, bert, ia3 or vera, not \(name.debugDescription)",
        at: c.path(to: "init_weights"))
    }
  }
}
