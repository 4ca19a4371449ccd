import HubWords
import HubTensor
import HubTransformer

/// The options of parametrised hypercomplex layers, which Compacter is made of (Karimi Mahabadi et al. 2021).
struct PHMConfiguration: Sendable {
  let dimension: Int
  let rank: Int
  let factorizesWeights, factorizesRules: Bool
  let sharesWeights, sharesRules: Bool
  let learnsRules: Bool
  let hasBias: Bool
  let initialRules: Initializer

  /// `nil` where the configuration asks for ordinary layers.
  ///
  /// - Throws: ``Failure`` that names the key.
  init?(_ c: JSONObject) throws {
    guard try c.optionalBool("phm_layer") == true else { return nil }
    func size(_ key: String, _ absent: Int) throws -> Int {
      let value = try c.optionalInteger(key) ?? absent
      guard (1...4096).contains(value) else {
        throw Failure.outside(1...4096, value, .invalidConfiguration, at: c.path(to: key))
      }
      return value
    }
    dimension = try size("phm_dim", 4)
    rank = try size("phm_rank", 1)
    factorizesWeights = try c.optionalBool("factorized_phm_W") ?? true
    factorizesRules = try c.optionalBool("factorized_phm_rule") ?? false
    sharesWeights = try c.optionalBool("shared_W_phm") ?? false
    sharesRules = try c.optionalBool("shared_phm_rule") ?? true
    learnsRules = try c.optionalBool("learn_phm") ?? true
    hasBias = try c.optionalBool("phm_bias") ?? true
    let range = Float(try c.optionalNumber("phm_init_range") ?? 1e-4),
      name = try c.optionalString("phm_c_init") ?? "normal"
    switch name {
    case "normal": initialRules = .normal(deviation: sharesRules ? range : 0.01)
    case "uniform": initialRules = .uniform(bound: sharesRules ? 1 : 0.01)
    default:
      throw Failure(
        .invalidConfiguration, "phm_c_init is normal or uniform, not \(name.debugDescription)",
        at: c.path(to: "phm_c_init"))
    }
    guard try c.optionalString("init_weights") ?? "bert" == "bert" else {
      throw Failure(
        .invalidConfiguration, "hypercomplex layers have an initialisation of their own",
        at: c.path(to: "init_weights"), hint: "leave it out")
    }
  }
}

/// Matrices, whole or as products of two factors.
struct PHMMatrices: Sendable {
  let parameters: [Parameter]

  /// `count` matrices `[rows, columns]`, called `name`, or `name_left` and `name_right`.
  init(
    _ name: String, _ count: Int, _ rows: Int, _ columns: Int, rank: Int?, initially initial: Initializer?,
    from weights: ParameterSource
  ) throws {
    // Glorot's, unless there is another one.
    func start(_ inputs: Int, _ outputs: Int) -> Initializer {
      initial ?? .normal(deviation: (2 / Float(inputs + outputs)).squareRoot())
    }
    guard let rank else {
      parameters = [try weights.parameter(name, [count, rows, columns], initially: start(rows, columns))]
      return
    }
    parameters = [
      try weights.parameter("\(name)_left", [count, rows, rank], initially: start(rows, rank)),
      try weights.parameter("\(name)_right", [count, rank, columns], initially: start(rank, columns)),
    ]
  }

  /// One below the other.
  func value(count: Int, in context: Context) -> Tensor {
    let factors = parameters.map(context.value)
    return factors.count == 2 ? context.products(factors[0], factors[1], count: count) : factors[0]
  }
}

/// What all layers of an adapter have in common.
struct PHMShared: Sendable {
  let rules: PHMMatrices?
  let down, up: PHMMatrices?

  init(_ c: PHMConfiguration, hidden: Int, bottleneck: Int, from weights: ParameterSource) throws {
    rules = c.sharesRules ? try PHMMatrices(rulesOf: c, from: weights) : nil
    down = c.sharesWeights ? try PHMMatrices(weightsOf: c, hidden, bottleneck, from: weights["down"]) : nil
    up = c.sharesWeights ? try PHMMatrices(weightsOf: c, bottleneck, hidden, from: weights["up"]) : nil
  }

  var parameters: [Parameter] { [rules, down, up].compactMap(\.self).flatMap(\.parameters) }
}

extension PHMMatrices {
  fileprivate init(rulesOf c: PHMConfiguration, from weights: ParameterSource) throws {
    let n = c.dimension
    try self.init("rule", n, n, n, rank: c.factorizesRules ? 1 : nil, initially: c.initialRules, from: weights)
  }

  /// - Throws: ``Failure`` if the dimension does not divide the widths.
  fileprivate init(weightsOf c: PHMConfiguration, _ input: Int, _ output: Int, from weights: ParameterSource) throws {
    let n = c.dimension
    guard input % n == 0, output % n == 0 else {
      throw Failure(
        .invalidConfiguration, "the sizes of a layer, \(input) and \(output), are not multiples of \(n)", at: "phm_dim",
        hint: "choose a reduction_factor that leaves a multiple of phm_dim")
    }
    try self.init(
      "w", n, input / n, output / n, rank: c.factorizesWeights ? c.rank : nil, initially: nil, from: weights)
  }
}

/// `y = x · Σᵢ Cᵢ ⊗ Wᵢ + b`, in a fraction `1/n` of a linear layer's parameters, or less.
struct PHMLayer: BottleneckLayer {
  private let linear: DerivedLinear
  let parameters, frozenParameters: [Parameter]

  /// - Parameter shared: the matrices of this layer that belong to all
  init(
    _ c: PHMConfiguration, _ input: Int, _ output: Int, shared: (rules: PHMMatrices?, weights: PHMMatrices?),
    from source: ParameterSource
  ) throws {
    let rules = try shared.rules ?? PHMMatrices(rulesOf: c, from: source)
    let weights = try shared.weights ?? PHMMatrices(weightsOf: c, input, output, from: source)
    let bias = c.hasBias ? try source.parameter("bias", [output]) : nil, biases = bias.map { [$0] } ?? []
    parameters =
      (shared.rules == nil ? rules.parameters : []) + (shared.weights == nil ? weights.parameters : []) + biases
    frozenParameters = c.learnsRules ? [] : rules.parameters
    linear = DerivedLinear(
      from: rules.parameters + weights.parameters + biases,
      weight: { [count = c.dimension] context in
        context.transposed(
          context.kroneckerSum(rules.value(count: count, in: context), weights.value(count: count, in: context)))
      }, bias: bias.map { bias in { @Sendable context in context.value(of: bias) } })
  }

  func projection(in context: Context) -> Context.LinearWeights? { linear.projection(in: context) }

  func callAsFunction(
    _ x: Tensor, then activation: Activation, scale: Float, plus residual: Tensor?, in context: Context
  ) -> Tensor {
    linear(x, then: activation, scale: scale, plus: residual, in: context)
  }
}
