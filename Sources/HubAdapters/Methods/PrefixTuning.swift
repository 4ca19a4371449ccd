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

  private let blocks: [Block]
  private let gates: [Site: Linear]
  private let shiftsPositions: Bool

  /// The prefixes of one kind of attention, in all its layers.
  private struct Block: Sendable {
    let source: PrefixSource
    /// Where they stand, in order.
    let sites: [Site]
  }

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try c.refuseUnknown([
      "architecture", "encoder_prefix", "cross_prefix", "leave_out", "flat", "prefix_length", "bottleneck_size",
      "non_linearity", "dropout",
      "use_gating", "shared_gating", "init_weights_seed", "shift_positions",
    ])
    shiftsPositions = try c.optionalBool("shift_positions") ?? false
    let leavesOut = try c.layersLeftOut()
    blocks = try Self.places(c, shape).compactMap { name, layers, place in
      let sites = layers.filter { !leavesOut.contains($0) }.map { Site($0, place) }
      return sites.isEmpty
        ? nil : Block(source: try PrefixSource(c, shape, layers: sites.count, from: weights[name]), sites: sites)
    }
    let outputs = try c.optionalBool("shared_gating") ?? true ? 1 : 2
    gates =
      try c.optionalBool("use_gating") ?? false
      ? Dictionary(
        uniqueKeysWithValues: blocks.flatMap(\.sites).map {
          ($0, try Linear(from: weights["layers"][$0.layer][$0.place.rawValue]["gate"], shape.hiddenSize, outputs))
        }) : [:]
  }

  /// The kinds of attention that have prefixes: a decoder's always, the encoder's and that over its states if they are
  /// wanted.
  private static func places(
    _ c: JSONObject, _ shape: ModelShape
  ) throws -> [(name: String, layers: Range<Int>, place: Site.Place)] {
    guard let encoderLayers = shape.encoderLayers else { return [("prefix", 0..<shape.layers, .prefix)] }
    let decoder = encoderLayers..<shape.layers
    return (try c.optionalBool("encoder_prefix") ?? true ? [("encoder_prefix", 0..<encoderLayers, .prefix)] : [])
      + [("prefix", decoder, .prefix)]
      + (try c.optionalBool("cross_prefix") ?? true ? [("cross_prefix", decoder, .crossPrefix)] : [])
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    var sizes = ImpliedSizes(weights, named: configuration.leftOutLayers)
    let length = max(1, configuration.members["prefix_length"]?.integer ?? 30)
    /// Keys and values of every layer that is not left out.
    func layers(_ block: String) -> Int {
      let values = weights.tensors["\(block).values"], up = weights.tensors["\(block).up.weight"]
      let width = values.map { $0.count / length } ?? up?.shape.first ?? 0
      return width / (2 * max(1, hiddenSize))
    }
    let encoder = layers("encoder_prefix"), own = layers("prefix"), leftOut = Set(configuration.leftOutLayers)
    sizes.layers = max(sizes.layers, encoder + own + leftOut.count)
    if encoder > 0 { sizes.encoderLayers = sizes.encoderLayers ?? encoder + leftOut.filter { $0 < encoder }.count }
    return sizes
  }

  public var looksAtWholeTexts: Bool { hasGates }
  public var sites: Set<Site> { Set(blocks.flatMap(\.sites)) }

  public func prefixAdapter(at site: Site) -> (any PrefixAdapter)? {
    blocks.lazy.compactMap { block in
      block.sites.firstIndex(of: site).map { PrefixUnit(source: block.source, gate: gates[site], index: $0) }
    }.first
  }

  public var promptAdapter: (any PromptAdapter)? {
    shiftsPositions ? blocks.first.map { PositionShift(takenPositions: $0.source.length) } : nil
  }

  public var parameters: [Parameter] {
    blocks.flatMap(\.source.parameters) + gates.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }
}

/// Leaves the first positions to a prefix, which has no rows.
private struct PositionShift: PromptAdapter {
  let takenPositions: Int
  let addedRows = 0

  func virtualTokens(in context: Context) -> VirtualTokens? { VirtualTokens(count: takenPositions) }
  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor { x }
}

/// The prefix of one layer.
private struct PrefixUnit: PrefixAdapter {
  let source: PrefixSource
  let gate: Linear?
  let index: Int

  func callAsFunction(_ x: Tensor, _ gating: Gating, in context: Context) -> AttentionPrefixes {
    let (keys, values) = source.keysAndValues(ofLayer: index, in: context), count = gating.sequences.count
    let sequences = Sequences(lengths: Array(repeating: source.length, count: count))
    let all = (
      keys: context.dropout(context.repeated(keys, count), rate: source.dropout),
      values: context.dropout(context.repeated(values, count), rate: source.dropout)
    )
    guard let gate else { return AttentionPrefixes(keys: all.keys, values: all.values, sequences) }
    let shares = gating.shares(gate(x, in: context), in: context), last = shares.columns - 1
    return AttentionPrefixes(
      keys: context.multiply(all.keys, sequencesBy: context.columns(shares, 0..<1), sequences),
      values: context.multiply(all.values, sequencesBy: context.columns(shares, last..<last + 1), sequences), sequences)
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
  /// That of the keys, and of the values.
  private let width: Int
  /// The rate at which training drops keys and values.
  let dropout: Float
  private let form: Form

  init(_ c: JSONObject, _ shape: ModelShape, layers: Int, from weights: ParameterSource) throws {
    func size(_ key: String, _ absent: Int) throws -> Int {
      let value = try c.optionalInteger(key) ?? absent
      guard (1...65_536).contains(value) else {
        throw Failure.outside(1...65536, value, .invalidConfiguration, at: c.path(to: key))
      }
      return value
    }
    length = try size("prefix_length", 30)
    width = shape.keyWidth
    let all = layers * 2 * width, hidden = shape.hiddenSize
    dropout = try c.dropout("dropout")
    if try c.optionalBool("flat") ?? false {
      form = .flat(try weights.parameter("values", [length * all], initially: .normal(deviation: 1)))
      return
    }
    let bottleneck = try size("bottleneck_size", 512), usual = Initializer.kaimingUniform(a: Float(5).squareRoot())
    form = .computed(
      embedding: try weights.parameter("embedding", [length, hidden], initially: .normal(deviation: 1)),
      down: try Linear(from: weights["down"], hidden, bottleneck, initially: usual),
      up: try Linear(from: weights["up"], bottleneck, all, initially: usual),
      try c.optionalActivation("non_linearity") ?? .tanh)
  }

  /// `[length, width]` each.
  func keysAndValues(ofLayer index: Int, in context: Context) -> (Tensor, Tensor) {
    let range = 2 * index * width..<(2 * index + 2) * width
    let both: Tensor
    switch form {
    case .flat(let values):
      both = context.columns(
        context.reshaped(context.value(of: values), rows: length, columns: values.count / length), range)
    case .computed(let embedding, let down, let up, let activation):
      let inner = down(context.value(of: embedding), then: activation, in: context)
      let product = context.product(inner, context.rows(context.value(of: up.weight), range), transposing: true)
      guard let bias = up.bias else {
        return (context.columns(product, 0..<width), context.columns(product, width..<2 * width))
      }
      both = context.add(
        product, context.rows(context.columns(context.value(of: bias), range), Array(repeating: 0, count: length)))
    }
    return (context.columns(both, 0..<width), context.columns(both, width..<2 * width))
  }

  var parameters: [Parameter] {
    switch form {
    case .flat(let values): [values]
    case .computed(let embedding, let down, let up, _): [embedding] + down.parameters + up.parameters
    }
  }
}
