public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// AdapterFusion (Pfeiffer et al. 2021): attention over the contributions of several adapters, one layer per site.
///
/// As in the Python library the scores are not divided by √hidden. With the option `temperature` they are divided by
/// 50; the library lets that number fall with every pass and forgets it, Dovetail keeps where it starts.
public struct AdapterFusion: Sendable {
  private let layers: [Site: FusionLayer]

  /// - Parameters:
  ///   - configuration: the `config` of AdapterHub's `adapter_fusion_config.json`
  ///   - sites: where the fused adapters act
  ///   - weights: the names of the bundle format
  public init(configuration: JSONObject, sites: Set<Site>, shape: ModelShape, weights: ParameterSource) throws {
    let c = try FusionConfiguration(configuration)
    var layers: [Site: FusionLayer] = [:]
    for site in sites.sorted() {
      layers[site] = try FusionLayer(
        c, hidden: shape.hiddenSize, from: weights["layers"][site.layer][site.place.rawValue])
    }
    self.layers = layers
  }

  func layer(at site: Site) -> FusionLayer? { layers[site] }

  /// What training adds to the loss so that values stay near the adapters' outputs, `[1, 1]`: `0.01 · Σ ‖I − V‖²` over
  /// all layers; `nil` if none has a value matrix.
  public func regularization(in context: Context) -> Tensor? {
    layers.sorted { $0.key < $1.key }.compactMap { $0.value.distanceFromIdentity(in: context) }.reduce(nil) {
      sum, next in
      let share = context.scaled(next, by: 0.01)
      return sum.map { context.add($0, share) } ?? share
    }
  }

  /// The sublayers that it has attention for.
  public var sites: Set<Site> { Set(layers.keys) }
  /// All weights, in the order of the file.
  public var parameters: [Parameter] { layers.sorted { $0.key < $1.key }.flatMap(\.value.parameters) }
}

struct FusionConfiguration: Sendable {
  let hasKey, hasQuery, hasValue: Bool
  let queriesBeforeNorm, addsResidualFirst: Bool
  let temperature: Float
  let initialValue: Initializer

  /// The defaults are those of the library's "dynamic" fusion. Old files write booleans as strings.
  init(_ c: JSONObject) throws {
    let known: Set<String> = [
      "key", "query", "value", "query_before_ln", "regularization", "residual_before", "temperature",
      "value_before_softmax",
      "value_initialized", "dropout_prob",
    ]
    if let unknown = c.members.entries.first(where: { !known.contains($0.key) && !$0.value.isNull && $0.value != false }
    ) {
      throw Failure(
        .unsupportedAdapter, "the option is unknown, and ignoring it could change the result",
        at: c.path(to: unknown.key))
    }
    func flag(_ key: String, _ absent: Bool) throws -> Bool {
      try c.optional(key, "a boolean") { $0.bool ?? ($0 == "True" ? true : $0 == "False" ? false : nil) } ?? absent
    }
    hasKey = try flag("key", true)
    hasQuery = try flag("query", true)
    hasValue = try flag("value", true)
    queriesBeforeNorm = try flag("query_before_ln", false)
    addsResidualFirst = try flag("residual_before", false)
    // Whether values are projected before they are mixed or after is the same: a value matrix has no bias.
    _ = try flag("value_before_softmax", true)
    temperature = try flag("temperature", false) ? 50 : 1
    initialValue = try flag("value_initialized", true) ? .identity(rest: 1e-6) : .normal(deviation: 0.02)
    guard hasKey || hasQuery || hasValue else {
      throw Failure(.invalidConfiguration, "a fusion needs a key, a query or a value", at: c.path(to: "value"))
    }
  }
}

/// The fusion of one site.
struct FusionLayer: Sendable {
  private let configuration: FusionConfiguration
  private let query, key, value: Linear?

  init(_ c: FusionConfiguration, hidden: Int, from weights: ParameterSource) throws {
    configuration = c
    query = c.hasQuery ? try Linear(from: weights["query"], hidden, hidden) : nil
    key = c.hasKey ? try Linear(from: weights["key"], hidden, hidden) : nil
    value =
      c.hasValue ? try Linear(from: weights["value"], hidden, hidden, bias: false, initially: c.initialValue) : nil
  }

  /// - Parameters:
  ///   - contributions: of each adapter, `[rows, hidden]`
  ///   - observe: is given the attention, `[rows, adapters]`
  func callAsFunction(
    _ contributions: [Tensor], _ prepared: PreparedInput, in context: Context, observe: ((Tensor) -> Void)?
  ) -> Tensor {
    let c = configuration
    let inputs = c.addsResidualFirst ? contributions.map { context.add($0, prepared.residual) } : contributions
    let asked = c.queriesBeforeNorm ? prepared.raw : prepared.input
    let queries = query.map { $0(asked, in: context) } ?? asked
    // q·(K x + k) = (Kᵀ q)·x + q·k, of which the last part is the same for all adapters and no softmax sees it; and
    // Σ p (V x) = V Σ p x. So one product with K and one with V serve any number of adapters.
    let addressed = key.map { context.linear(queries, transposing: $0.weight) } ?? queries
    let residual = c.addsResidualFirst ? nil : prepared.residual
    let mixed = context.fuse(
      addressed, inputs, plus: value == nil ? residual : nil, temperature: c.temperature, observe: observe)
    return value.map { $0(mixed, plus: residual, in: context) } ?? mixed
  }

  /// `‖V − I‖²`
  fileprivate func distanceFromIdentity(in context: Context) -> Tensor? {
    guard let weight = value?.weight else { return nil }
    let size = weight.rows
    let less = context.tensor(rows: size, columns: size, (0..<size * size).map { $0 / size == $0 % size ? -1 : 0 })
    let difference = context.reshaped(context.add(context.value(of: weight), less), rows: 1, columns: size * size)
    return context.product(difference, difference, transposing: true)
  }

  var parameters: [Parameter] { [query, key, value].compactMap(\.self).flatMap(\.parameters) }
}
