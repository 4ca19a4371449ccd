public import HubWords
public import HubTensor
import HubModels
public import HubTransformer

/// The configuration of a bottleneck adapter: AdapterHub's keys with the library's defaults.
public struct BottleneckConfiguration: Sendable {
  /// What is added to the adapter's contribution.
  public enum Residual: Sendable {
    /// What came into the adapter's place.
    case beforeNorm
    /// What the adapter reads.
    case afterNorm
    /// The sum with the sublayer's residual, before the layer norm.
    case sum
  }

  /// What the adapter's contribution is multiplied by.
  public enum Scaling: Sendable {
    case constant(Float)
    /// One learned factor.
    case learned
    /// One learned factor for each column.
    case channel
  }

  /// Whether it acts at the end of the attention (`mh_adapter`).
  public let adaptsAttention: Bool
  /// Whether it acts at the end of a decoder's attention over the encoder's states (`cross_adapter`).
  public let adaptsCrossAttention: Bool
  /// Whether it acts at the end of the feed-forward block (`output_adapter`).
  public let adaptsFeedForward: Bool
  /// The non-linearity between the projections down and up (`non_linearity`).
  public let activation: Activation
  /// Whether the base model's layer norm is applied before the adapter (`original_ln_before`).
  public let normalizesFirst: Bool
  /// Whether the base model's layer norm is applied after the adapter (`original_ln_after`).
  public let normalizesLast: Bool
  /// Whether the adapter has a layer norm of its own before the projection down (`ln_before`).
  public let hasNormBefore: Bool
  /// Whether the adapter has a layer norm of its own after the projection up (`ln_after`).
  public let hasNormAfter: Bool
  /// Whether it reads what went into the sublayer instead of what came out (`is_parallel`).
  public let isParallel: Bool
  /// Whether a learned gate scales the contribution for each sequence (`use_gating`).
  public let isGated: Bool
  /// The factor of the contribution (`scaling`).
  public let scaling: Scaling
  /// What is added to the contribution (`residual_before_ln`).
  public let residual: Residual
  /// Whether the residual is added before the adapter's last layer norm (`adapter_residual_before_ln`).
  public let addsResidualBeforeNorm: Bool
  /// The divisor of the invertible adapter's halves; `nil` without one.
  public let invertibleReduction: Double?
  /// The options of hypercomplex layers; `nil` for ordinary ones.
  let phm: PHMConfiguration?
  /// What the projection down begins with (`init_weights`).
  public let initialWeights: Initializer
  /// What the projection up begins with (`init_weights`).
  public let initialUpWeights: Initializer
  private let leavesOut: Set<Int>
  /// The rate at which training drops what the adapter adds.
  let dropout: Float
  private let reduction: [String: Double]

  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` or ``Failure/Code/unsupportedAdapter``
  ///   that names the key.
  public init(_ c: JSONObject) throws {
    try Self.refuseUnknown(c)
    adaptsAttention = try c.required("mh_adapter", "a boolean") { $0.bool }
    adaptsCrossAttention = try c.optionalBool("cross_adapter") ?? false
    adaptsFeedForward = try c.required("output_adapter", "a boolean") { $0.bool }
    guard let activation = try c.optionalActivation("non_linearity") else {
      throw Failure(.unexpectedJSON, "a string is missing", at: c.path(to: "non_linearity"))
    }
    self.activation = activation
    normalizesFirst = try c.optionalBool("original_ln_before") ?? false
    normalizesLast = try c.optionalBool("original_ln_after") ?? true
    hasNormBefore = try c.optionalBool("ln_before") ?? false
    hasNormAfter = try c.optionalBool("ln_after") ?? false
    isParallel = try c.optionalBool("is_parallel") ?? false
    isGated = try c.optionalBool("use_gating") ?? false
    dropout = try c.dropout("dropout")
    scaling = try Self.scaling(c)
    residual = try Self.residual(c)
    addsResidualBeforeNorm = try c.optionalBool("adapter_residual_before_ln") ?? false
    leavesOut = try c.layersLeftOut()
    reduction = try Self.reduction(c)
    invertibleReduction = try Self.invertibleReduction(c)
    phm = try PHMConfiguration(c)
    (initialWeights, initialUpWeights) = try Self.initializers(c)
  }

  /// The sites of one layer that have an adapter.
  func places(inLayer layer: Int, of shape: ModelShape) -> [Site.Place] {
    if leavesOut.contains(layer) { return [] }
    return (adaptsAttention ? [.attention] : [])
      + (adaptsCrossAttention && shape.crosses(layer) ? [.crossAttention] : [])
      + (adaptsFeedForward ? [.feedForward] : [])
  }

  /// All sites that have an adapter.
  func sites(of shape: ModelShape) -> [Site] {
    (0..<shape.layers).flatMap { layer in places(inLayer: layer, of: shape).map { Site(layer, $0) } }
  }

  /// The bottleneck's width: `hidden / reduction`, rounded down, at least 1.
  func bottleneck(inLayer layer: Int, of width: Int) throws -> Int {
    guard let factor = reduction["\(layer)"] ?? reduction["default"] else {
      throw Failure(
        .invalidConfiguration, "there is no factor for layer \(layer) and no \"default\"", at: "reduction_factor")
    }
    return max(1, Int((Double(width) / factor).rounded(.down)))
  }
}

extension BottleneckConfiguration {
  /// Keys that say nothing about the forward pass, or that are read above.
  private static let known: Set<String> = [
    "architecture", "mh_adapter", "output_adapter", "cross_adapter", "reduction_factor", "non_linearity",
    "original_ln_before",
    "original_ln_after", "ln_before", "ln_after", "init_weights", "init_weights_seed", "is_parallel", "scaling",
    "use_gating",
    "residual_before_ln", "adapter_residual_before_ln", "inv_adapter", "inv_adapter_reduction_factor", "leave_out",
    "dropout",
    "stochastic_depth", "phm_layer", "phm_dim", "factorized_phm_W", "shared_W_phm", "shared_phm_rule",
    "factorized_phm_rule",
    "phm_c_init", "phm_init_range", "learn_phm", "hypercomplex_nonlinearity", "phm_rank", "phm_bias",
  ]

  private static func refuseUnknown(_ c: JSONObject) throws {
    try c.refuseUnknown(known)
  }

  private static func scaling(_ c: JSONObject) throws -> Scaling {
    switch c.members["scaling"] {
    case nil, .null?: return .constant(1)
    case .string("learned")?: return .learned
    case .string("channel")?: return .channel
    case let value?:
      guard let factor = value.number else {
        throw Failure(
          .invalidConfiguration, "scaling is a number, \"learned\" or \"channel\"", at: c.path(to: "scaling"))
      }
      return .constant(Float(factor))
    }
  }

  private static func residual(_ c: JSONObject) throws -> Residual {
    switch c.members["residual_before_ln"] {
    case nil, .null?, .bool(true)?: return .beforeNorm
    case .bool(false)?: return .afterNorm
    case .string("post_add")?:
      guard try c.optionalBool("original_ln_before") == true else {
        throw Failure(
          .invalidConfiguration, "\"post_add\" needs original_ln_before", at: c.path(to: "residual_before_ln"))
      }
      return .sum
    default:
      throw Failure(
        .invalidConfiguration, "residual_before_ln is true, false or \"post_add\"", at: c.path(to: "residual_before_ln")
      )
    }
  }

  private static func reduction(_ c: JSONObject) throws -> [String: Double] {
    let key = "reduction_factor"
    let factors = try c.required(key, "a number, or an object from layer numbers to numbers") {
      value -> [String: Double]? in
      if let number = value.number { return ["default": number] }
      return value.object.map { members in
        Dictionary(members.entries.map { ($0.key, $0.value.number ?? .nan) }, uniquingKeysWith: { $1 })
      }
    }
    for factor in factors.values { try checkReduction(factor, at: c.path(to: key)) }
    return factors
  }

  private static func checkReduction(_ factor: Double, at path: String) throws {
    guard factor.isFinite, factor >= 1e-4, factor <= 1e9 else {
      throw Failure(
        .invalidConfiguration, "a reduction factor of \(factor) is not between 0.0001 and 1000000000", at: path)
    }
  }

  private static func invertibleReduction(_ c: JSONObject) throws -> Double? {
    guard let block = try c.optionalString("inv_adapter"), !block.isEmpty else { return nil }
    guard block == "nice" else {
      throw Failure(
        .invalidConfiguration, "invertible adapters of the type \(block.debugDescription) are not supported",
        at: c.path(to: "inv_adapter"),
        hint: block == "glow"
          ? "the Python library cannot run GLOW blocks either; \"nice\" is what adapters use" : "supported: nice")
    }
    let factor = try c.number("inv_adapter_reduction_factor")
    try checkReduction(factor, at: c.path(to: "inv_adapter_reduction_factor"))
    return factor
  }

  private static func initializers(_ c: JSONObject) throws -> (Initializer, Initializer) {
    let name = try c.optionalString("init_weights") ?? "bert"
    switch name {
    case "bert": return (.normal(deviation: 0.02), .normal(deviation: 0.02))
    case "mam_adapter": return (.kaimingUniform(a: Float(5).squareRoot()), .zeros)
    case "houlsby": return (.normal(deviation: 0.01), .normal(deviation: 0.01))
    default:
      throw Failure(
        .invalidConfiguration, "init_weights is bert, mam_adapter or houlsby, not \(name.debugDescription)",
        at: c.path(to: "init_weights"))
    }
  }
}
