public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Projected attention layers (Stickland and Murray 2019): beside a whole layer a small one, `LN(FFN(a) + a + TS(x))`,
/// where `x` is the layer's input and `a` what its attention made of it.
///
/// `TS(x) = act(up(MHA(down(x))))`, the attention having queries, keys and values of its own in each layer and no
/// projection after it; `down` and `up` belong to all layers. Without attention it is `up(act(down(x)))` with
/// projections in each layer. `shared_projections` asks for the other choice in either.
public struct PAL: AdapterMethod {
  public static let architecture: String? = "pal"

  private let units: [Site: PALUnit]
  private let shared: PALProjections?

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try c.refuseUnknown([
      "architecture", "size", "attention", "heads", "shared_projections", "non_linearity", "leave_out",
    ])
    let attends = try c.optionalBool("attention") ?? true
    let size = try c.optionalSize("size") ?? (attends ? 204 : 100), heads = try c.optionalSize("heads") ?? 6
    guard !attends || size % heads == 0 else {
      throw Failure(
        .invalidConfiguration, "a size of \(size) cannot be divided among \(heads) heads", at: c.path(to: "heads"))
    }
    let activation = try c.optionalActivation("non_linearity") ?? .gelu, layers = try c.adaptedLayers(of: shape)
    let shares = try c.optionalBool("shared_projections") ?? attends
    let shared = shares ? try PALProjections(hidden: shape.hiddenSize, size, from: weights["shared"]) : nil
    self.shared = shared
    var units: [Site: PALUnit] = [:]
    for layer in layers {
      let site = Site(layer, .feedForward), source = weights["layers"][layer][site.place.rawValue]
      units[site] = PALUnit(
        projections: try shared ?? PALProjections(hidden: shape.hiddenSize, size, from: source),
        attention: attends ? try PALAttention(size, heads: heads, from: source) : nil, activation: activation,
        sharesProjections: shares)
    }
    self.units = units
  }

  public var sites: Set<Site> { Set(units.keys) }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { units[site] }
  public var parameters: [Parameter] {
    (shared?.parameters ?? []) + units.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }
}

private struct PALProjections: Sendable {
  let down, up: Linear

  init(hidden: Int, _ size: Int, from weights: ParameterSource) throws {
    down = try Linear(from: weights["down"], hidden, size)
    up = try Linear(from: weights["up"], size, hidden)
  }

  var parameters: [Parameter] { down.parameters + up.parameters }
}

private struct PALAttention: Sendable {
  let query, key, value: Linear
  let heads: Int

  init(_ size: Int, heads: Int, from weights: ParameterSource) throws {
    self.heads = heads
    query = try Linear(from: weights["query"], size, size)
    key = try Linear(from: weights["key"], size, size)
    value = try Linear(from: weights["value"], size, size)
  }

  func callAsFunction(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    context.attention(
      query(x, in: context), key(x, in: context), value(x, in: context), AttentionForm(heads: heads), in: sequences)
  }

  var parameters: [Parameter] { query.parameters + key.parameters + value.parameters }
}

/// `TS` of one layer.
private struct PALUnit: SublayerAdapter {
  let projections: PALProjections
  let attention: PALAttention?
  let activation: Activation
  let sharesProjections: Bool

  var parameters: [Parameter] { (sharesProjections ? [] : projections.parameters) + (attention?.parameters ?? []) }

  /// It reads the layer's input wherever it stands, and adds to what comes before it.
  func prepared(_ h: Tensor, in sublayer: Sublayer, _ context: Context) -> PreparedInput {
    PreparedInput(input: sublayer.layerInput, residual: h, raw: h)
  }

  func contribution(_ input: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    function(input, sequences, plus: nil, in: context)
  }

  func output(_ prepared: PreparedInput, _ gating: Gating, in context: Context) -> Tensor {
    function(prepared.input, gating.sequences, plus: prepared.residual, in: context)
  }

  private func function(_ x: Tensor, _ sequences: Sequences, plus residual: Tensor?, in context: Context) -> Tensor {
    let (down, up) = (projections.down, projections.up)
    guard let attention else {
      return context.bottleneck(
        x, down: (down.weight, down.bias), up: (up.weight, up.bias), then: activation, scale: 1, plus: residual)
    }
    return up(attention(down(x, in: context), sequences, in: context), then: activation, plus: residual, in: context)
  }

  func joined(_ output: Tensor, in sublayer: Sublayer, _ context: Context) -> Tensor {
    sublayer.joined(output, in: context)
  }
}
