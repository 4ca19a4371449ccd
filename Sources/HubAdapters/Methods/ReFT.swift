public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Changes of the hidden states of a few tokens after a layer (Wu et al. 2024): `z + Rᵀ(act(W z + b) − R z)`, where
/// LoReFT has a matrix `R` with orthonormal rows and NoReFT any; DiReFT leaves out `− R z`.
///
/// The first and the last tokens of a sequence are changed; where both are the same, the last ones win. As in the
/// Python library ReFT works only in the first adapter of a setup. The library does not save what makes a DiReFT
/// (`subtract_projection`), so that its files read as NoReFT unless the key is there.
public struct ReFT: AdapterMethod {
  public static let architecture: String? = "reft"

  private let configuration: ReFTConfiguration
  private let layers: [Int: [ReFTUnit]]

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let c = try ReFTConfiguration(configuration)
    var layers: [Int: [ReFTUnit]] = [:]
    for layer in try c.layers(of: shape) {
      let units = weights["layers"][layer][Site.Place.layer.rawValue]["units"]
      layers[layer] = try (0..<(c.tiesUnits ? 1 : 2)).map { try ReFTUnit(c, shape.hiddenSize, from: units[$0]) }
    }
    self.configuration = c
    self.layers = layers
  }

  public var sites: Set<Site> { Set(layers.keys.map { Site($0, .layer) }) }
  public func layerAdapter(at index: Int) -> (any LayerAdapter)? {
    layers[index].map { ReFTLayer(configuration: configuration, units: $0) }
  }
  public var parameters: [Parameter] { layers.sorted { $0.key < $1.key }.flatMap { $0.value.flatMap(\.parameters) } }
  public var frozenParameters: [Parameter] { layers.values.flatMap { $0.flatMap(\.frozenParameters) } }
}

struct ReFTConfiguration: Sendable {
  let rank: Int
  let isOrthogonal, subtracts, tiesUnits: Bool
  let activation: Activation
  /// The rate at which training drops the new states.
  let dropout: Float
  /// How many tokens at the beginning and at the end.
  let first, last: Int
  private let layers: [Int]?

  init(_ c: JSONObject) throws {
    try c.refuseUnknown([
      "architecture", "layers", "prefix_positions", "suffix_positions", "r", "orthogonality", "subtract_projection",
      "tied_weights", "dropout",
      "non_linearity", "dtype", "output_reft", "init_weights_seed",
    ])
    func count(_ key: String, _ absent: Int, atLeast least: Int) throws -> Int {
      let value = try c.optionalInteger(key) ?? absent
      guard (least...65_536).contains(value) else {
        throw Failure.outside(least...65536, value, .invalidConfiguration, at: c.path(to: key))
      }
      return value
    }
    rank = try count("r", 1, atLeast: 1)
    first = try count("prefix_positions", 3, atLeast: 0)
    last = try count("suffix_positions", 0, atLeast: 0)
    isOrthogonal = try c.required("orthogonality", "a boolean") { $0.bool }
    subtracts = try c.optionalBool("subtract_projection") ?? true
    tiesUnits = try c.optionalBool("tied_weights") ?? false
    activation = try c.optionalActivation("non_linearity") ?? .identity
    dropout = try c.dropout("dropout", absent: 0.05)
    guard try c.optionalBool("output_reft") ?? true else {
      throw Failure(
        .invalidConfiguration, "output_reft must be true: the layer's output is the only place that is supported",
        at: c.path(to: "output_reft"))
    }
    layers =
      c.members["layers"] == "all"
      ? nil : try c.optional("layers", "\"all\" or an array of layer numbers") { $0.integers }
    guard first + last > 0 else {
      throw Failure(.invalidConfiguration, "the adapter would change no token", at: c.path(to: "prefix_positions"))
    }
  }

  func layers(of shape: ModelShape) throws -> [Int] {
    guard rank <= shape.hiddenSize else {
      throw Failure(
        .invalidConfiguration, "a rank of \(rank) is larger than the hidden size, \(shape.hiddenSize)", at: "r")
    }
    guard let layers else { return Array(0..<shape.layers) }
    if let wrong = layers.first(where: { !(0..<shape.layers).contains($0) }) {
      throw Failure(.invalidConfiguration, "there is no layer \(wrong)", at: "layers")
    }
    return Array(Set(layers)).sorted()
  }
}

/// What happens after one layer.
private struct ReFTLayer: LayerAdapter {
  let configuration: ReFTConfiguration
  let units: [ReFTUnit]

  let composes = false

  func callAsFunction(
    _ x: Tensor, of input: Tensor, _ sequences: Sequences, keeping kept: inout [Int: Tensor], in context: Context
  ) -> Tensor {
    var first: [Int] = [], last: [Int] = []
    for index in 0..<sequences.count {
      let rows = sequences[index], end = max(rows.lowerBound, rows.upperBound - configuration.last)
      last += end..<rows.upperBound
      first += rows.lowerBound..<min(end, rows.lowerBound + configuration.first)
    }
    var result = x
    for (unit, rows) in zip([units[0], units[units.count - 1]], [first, last]) {
      guard !rows.isEmpty else {
        context.use(unit.parameters)
        continue
      }
      result = context.replacing(rows, of: result, with: unit(context.rows(x, rows), in: context))
    }
    return result
  }
}

/// `z + Rᵀ(act(W z + b) − R z)`
struct ReFTUnit: Sendable {
  private enum Directions: Sendable {
    case free(Parameter)
    case orthogonal(HouseholderProjection)
  }

  private let source: Linear
  private let projection: Directions
  /// `R [r, hidden]` and `Rᵀ [hidden, r]`.
  private let rows, columns: DerivedParameter
  private let activation: Activation
  private let subtracts: Bool
  private let dropout: Float

  init(_ c: ReFTConfiguration, _ hidden: Int, from weights: ParameterSource) throws {
    activation = c.activation
    subtracts = c.subtracts
    dropout = c.dropout
    source = try Linear(from: weights["source"], hidden, c.rank, initially: .kaimingUniform(a: Float(5).squareRoot()))
    projection =
      c.isOrthogonal
      ? .orthogonal(try HouseholderProjection(c.rank, hidden, from: weights))
      : .free(
        try weights.parameter("projection", [c.rank, hidden], initially: .kaimingUniform(a: Float(5).squareRoot())))
    switch projection {
    case .free(let matrix):
      rows = DerivedParameter(from: [matrix]) { $0.value(of: matrix) }
      columns = DerivedParameter(from: [matrix]) { $0.transposed($0.value(of: matrix)) }
    case .orthogonal(let matrix):
      rows = DerivedParameter(from: matrix.parameters) { $0.transposed(matrix.columns(in: $0)) }
      columns = DerivedParameter(from: matrix.parameters) { matrix.columns(in: $0) }
    }
  }

  var parameters: [Parameter] {
    switch projection {
    case .free(let matrix): source.parameters + [matrix]
    case .orthogonal(let matrix): source.parameters + matrix.parameters
    }
  }

  var frozenParameters: [Parameter] { if case .orthogonal(let matrix) = projection { [matrix.base] } else { [] } }

  func callAsFunction(_ z: Tensor, in context: Context) -> Tensor {
    var states = source(z, then: activation, in: context)
    if subtracts { states = context.add(states, context.scaled(context.linear(z, rows), by: -1)) }
    return context.dropout(context.add(context.linear(states, columns), z), rate: dropout)
  }
}

/// A matrix with orthonormal columns, as PyTorch parametrises it: `base · Q · diag(trunc(diagonal))`, where `Q` is a
/// product of reflections at the rows of `original`, whose elements left of the diagonal do not count.
///
/// PyTorch truncates the diagonal to integers: a step of weight decay makes it, and the projection, zero.
struct HouseholderProjection: Sendable {
  let original, base: Parameter
  var parameters: [Parameter] { [original, base] }

  init(_ rank: Int, _ hidden: Int, from weights: ParameterSource) throws {
    original = try weights.parameter("projection_original", [rank, hidden], initially: .diagonal(-1))
    base = try weights.parameter("projection_base", [hidden, hidden], initially: .identity(rest: 0))
  }

  /// `[hidden, r]`
  func columns(in context: Context) -> Tensor {
    let rank = original.rows, hidden = original.columns, rows = context.value(of: original)
    func diagonal(_ value: (Int) -> Float) -> Tensor {
      context.tensor(
        rows: hidden, columns: rank, (0..<hidden * rank).map { $0 / rank == $0 % rank ? value($0 / rank) : 0 })
    }
    var product = diagonal { original.value.row($0)[$0].rounded(.towardZero) }
    for row in (0..<rank).reversed() {
      let isBehind = context.tensor(rows: 1, columns: hidden, (0..<hidden).map { $0 > row ? 1 : 0 })
      let unit = context.tensor(rows: 1, columns: hidden, (0..<hidden).map { $0 == row ? 1 : 0 })
      product = context.reflected(
        product, at: context.add(context.multiply(context.rows(rows, row..<row + 1), columnsBy: isBehind), unit))
    }
    return context.product(context.value(of: base), product)
  }
}
