import HubWeights
public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Learned keys and values that stand before those of the text in each self-attention (Li and Liang 2021): as they are
/// (`flat`), or computed from one embedding for each position by a layer, an activation and a second layer.
///
/// With a gate the keys and the values of a text are multiplied by shares (Mao et al. 2022). Positions of tokens do not
/// move. In a stack all prefixes are there, the last adapter's first. Prefixes of different lengths stand side by side
/// as each stands alone; the Python library pads the shorter ones in a `Parallel`, and the padding takes part.
/// With `shift_positions` the text's positions begin after the prefix, as in PEFT, if it is the setup's first adapter.
public struct PrefixTuning: AdapterMethod {
  public static let architecture: String? = "prefix_tuning"

  private let source: PrefixSource
  private let gates: [Int: Linear]
  /// The layers that have a prefix, in order.
  private let layers: [Int]
  private let shiftsPositions: Bool

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try c.refuseUnknown([
      "architecture", "encoder_prefix", "cross_prefix", "leave_out", "flat", "prefix_length", "bottleneck_size",
      "non_linearity", "dropout",
      "use_gating", "shared_gating", "init_weights_seed", "shift_positions",
    ])
    shiftsPositions = try c.optionalBool("shift_positions") ?? false
    let leavesOut = try c.layersLeftOut()
    layers = (0..<shape.layers).filter { !leavesOut.contains($0) }
    source = try PrefixSource(c, hidden: shape.hiddenSize, layers: layers.count, from: weights["prefix"])
    let outputs = try c.optionalBool("shared_gating") ?? true ? 1 : 2
    gates =
      try c.optionalBool("use_gating") ?? false
      ? Dictionary(
        uniqueKeysWithValues: layers.map {
          ($0, try Linear(from: weights["layers"][$0][Site.Place.prefix.rawValue]["gate"], shape.hiddenSize, outputs))
        }) : [:]
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    var sizes = ImpliedSizes(weights, named: configuration.leftOutLayers)
    let length = max(1, configuration.members["prefix_length"]?.integer ?? 30)
    let values = weights.tensors["prefix.values"], up = weights.tensors["prefix.up.weight"]
    // Keys and values of every layer that is not left out.
    let width = values.map { $0.count / length } ?? up?.shape.first ?? 0
    sizes.layers = max(sizes.layers, width / (2 * max(1, hiddenSize)) + Set(configuration.leftOutLayers).count)
    return sizes
  }

  public var sites: Set<Site> { Set(layers.map { Site($0, .prefix) }) }

  public func prefixAdapter(at layer: Int) -> (any PrefixAdapter)? {
    layers.firstIndex(of: layer).map { PrefixUnit(source: source, gate: gates[layer], index: $0) }
  }

  public var promptAdapter: (any PromptAdapter)? {
    shiftsPositions ? PositionShift(takenPositions: source.length) : nil
  }

  public var parameters: [Parameter] {
    source.parameters + gates.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }
}

/// Leaves the first positions to a prefix, which has no rows.
private struct PositionShift: PromptAdapter {
  let takenPositions: Int
  let addedRows = 0

  func virtualTokens(in cx: Context) -> VirtualTokens? { VirtualTokens(count: takenPositions) }
  func embedded(_ x: Tensor, _ sequences: Sequences, in cx: Context) -> Tensor { x }
}

/// The prefix of one layer.
private struct PrefixUnit: PrefixAdapter {
  let source: PrefixSource
  let gate: Linear?
  let index: Int

  func callAsFunction(_ x: Tensor, _ gating: Gating, in cx: Context) -> AttentionPrefixes {
    let (keys, values) = source.keysAndValues(ofLayer: index, in: cx), count = gating.sequences.count
    let sequences = Sequences(lengths: Array(repeating: source.length, count: count))
    let all = (keys: cx.repeated(keys, count), values: cx.repeated(values, count))
    guard let gate else { return AttentionPrefixes(keys: all.keys, values: all.values, sequences) }
    let shares = gating.shares(gate(x, in: cx), in: cx), last = shares.columns - 1
    return AttentionPrefixes(
      keys: cx.multiply(all.keys, sequencesBy: cx.columns(shares, 0..<1), sequences),
      values: cx.multiply(all.values, sequencesBy: cx.columns(shares, last..<last + 1), sequences), sequences)
  }
}

/// Where the keys and values of all layers come from: for each position those of the first layer, of the second, and
/// so on, the keys before the values.
struct PrefixSource: Sendable {
  private enum Form: Sendable {
    case flat(Parameter)
    case computed(embedding: Parameter, down: Linear, up: Linear, Activation)
  }

  let length: Int
  private let hidden: Int
  private let form: Form

  init(_ c: JSONObject, hidden: Int, layers: Int, from weights: ParameterSource) throws {
    func size(_ key: String, _ absent: Int) throws -> Int {
      let value = try c.optionalInteger(key) ?? absent
      guard (1...65_536).contains(value) else {
        throw Failure.outside(1...65536, value, .invalidConfiguration, at: c.path(to: key))
      }
      return value
    }
    length = try size("prefix_length", 30)
    self.hidden = hidden
    let width = layers * 2 * hidden
    if try c.optionalBool("flat") ?? false {
      form = .flat(try weights.parameter("values", [length * width], initially: .normal(deviation: 1)))
      return
    }
    let bottleneck = try size("bottleneck_size", 512), usual = Initializer.kaimingUniform(a: Float(5).squareRoot())
    form = .computed(
      embedding: try weights.parameter("embedding", [length, hidden], initially: .normal(deviation: 1)),
      down: try Linear(from: weights["down"], hidden, bottleneck, initially: usual),
      up: try Linear(from: weights["up"], bottleneck, width, initially: usual),
      try c.optionalActivation("non_linearity") ?? .tanh)
  }

  /// `[length, hidden]` each.
  func keysAndValues(ofLayer index: Int, in cx: Context) -> (Tensor, Tensor) {
    let range = 2 * index * hidden..<(2 * index + 2) * hidden
    let both: Tensor
    switch form {
    case .flat(let values):
      both = cx.columns(cx.reshaped(cx.value(of: values), rows: length, columns: values.count / length), range)
    case .computed(let embedding, let down, let up, let activation):
      let inner = down(cx.value(of: embedding), then: activation, in: cx)
      let product = cx.product(inner, cx.rows(cx.value(of: up.weight), range), transposing: true)
      guard let bias = up.bias else { return (product, product) }
      both = cx.add(product, cx.rows(cx.columns(cx.value(of: bias), range), Array(repeating: 0, count: length)))
    }
    return (cx.columns(both, 0..<hidden), cx.columns(both, hidden..<2 * hidden))
  }

  var parameters: [Parameter] {
    switch form {
    case .flat(let values): [values]
    case .computed(let embedding, let down, let up, _): [embedding] + down.parameters + up.parameters
    }
  }
}
