public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// AdaMix (Wang et al. 2022): at each site several down and up projections, of which training takes two at random in
/// each pass, `h + U_l · act(D_k · h + b_k) + b_l`.
///
/// What runs is one ordinary bottleneck in each case:
/// - merged, `inference: "merged"`: the means of the experts' weights, as the authors recommend.
/// - the ensemble, `inference: "ensemble"`: the mean of what all choices give. As `U` is linear that is a bottleneck as
///   wide as all `D_k` together.
/// - ``routed(using:)``: the choice of one pass.
public struct AdaMix: AdapterMethod {
  public static let architecture: String? = "adamix"

  /// The options that an ordinary bottleneck has.
  private let options: JSONObject
  private let configuration: BottleneckConfiguration
  private let experts: [Site: Experts]
  private let blocks: [Site: BottleneckBlock]

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try c.refuseUnknown([
      "architecture", "num_experts", "sharing_down", "sharing_up", "inference", "reduction_factor", "non_linearity",
      "mh_adapter", "output_adapter",
      "leave_out", "init_weights",
    ])
    let count = try c.optionalInteger("num_experts") ?? 4
    guard (1...64).contains(count) else {
      throw Failure.outside(1...64, count, .invalidConfiguration, at: c.path(to: "num_experts"))
    }
    let downs = try c.optionalBool("sharing_down") ?? false ? 1 : count,
      ups = try c.optionalBool("sharing_up") ?? true ? 1 : count
    let usual: JSON.Members = [
      "reduction_factor": 16, "non_linearity": "gelu_new", "mh_adapter": false, "output_adapter": true,
    ]
    let options = c.completed(
      with: usual, without: ["architecture", "num_experts", "sharing_down", "sharing_up", "inference"])
    let block = try BottleneckConfiguration(options)
    var experts: [Site: Experts] = [:]
    for site in block.sites(of: shape) {
      let width = try block.bottleneck(inLayer: site.layer, of: shape.hiddenSize),
        source = weights["layers"][site.layer][site.place.rawValue]
      experts[site] = Experts(
        down: try (0..<downs).map {
          try Linear(from: source["down"][$0], shape.hiddenSize, width, initially: block.initialWeights)
        },
        up: try (0..<ups).map {
          try Linear(from: source["up"][$0], width, shape.hiddenSize, initially: block.initialUpWeights)
        })
    }
    let inference = try c.optionalString("inference") ?? "merged"
    guard ["merged", "ensemble"].contains(inference) else {
      throw Failure(
        .invalidConfiguration, "inference is merged or ensemble, not \(inference.debugDescription)",
        at: c.path(to: "inference"))
    }
    let blocks = experts.mapValues { experts in
      inference == "merged"
        ? BottleneckBlock(block, down: experts.down.mean, up: experts.up.mean)
        : BottleneckBlock(block, down: experts.down.joined, up: experts.up.spread(over: downs))
    }
    self.init(options, block, experts, blocks)
  }

  private init(
    _ options: JSONObject, _ c: BottleneckConfiguration, _ experts: [Site: Experts], _ blocks: [Site: BottleneckBlock]
  ) {
    self.options = options
    configuration = c
    self.experts = experts
    self.blocks = blocks
  }

  /// The same weights with one down and one up projection drawn for each site, for one pass of training. The second
  /// pass of a step, with which ``consistency(_:_:in:)`` compares, has a choice of its own.
  public func routed(using generator: inout some RandomNumberGenerator) -> AdaMix {
    var choices = blocks
    for (site, experts) in experts.sorted(by: { $0.key < $1.key }) {
      let down = experts.down[Int.random(in: experts.down.indices, using: &generator)]
      choices[site] = BottleneckBlock(
        configuration, down: down, up: experts.up[Int.random(in: experts.up.indices, using: &generator)])
    }
    return AdaMix(options, configuration, experts, choices)
  }

  /// The merged form by itself.
  public func merged(engine: Engine) throws -> WrittenOutBottleneck {
    try WrittenOutBottleneck(
      options, experts.mapValues { BottleneckBlock(configuration, down: $0.down.mean, up: $0.up.mean) }, engine: engine)
  }

  /// What training adds to the first pass's loss so that two choices of experts agree: `½ (KL(q ‖ p) + KL(p ‖ q))`,
  /// each time without a gradient for the target.
  public static func consistency(_ first: Tensor, _ second: Tensor, in context: Context) -> Tensor {
    context.scaled(
      context.add(context.divergence(of: first, from: second), context.divergence(of: second, from: first)), by: 0.5)
  }

  public var looksAtWholeTexts: Bool { hasGates }
  public var sites: Set<Site> { Set(blocks.keys) }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { blocks[site] }

  public var parameters: [Parameter] {
    experts.sorted { $0.key < $1.key }.flatMap { ($0.value.down + $0.value.up).flatMap(\.parameters) }
  }
}

/// The experts of one site; where they are shared there is one.
private struct Experts: Sendable {
  let down, up: [Linear]
}

extension [Linear] {
  private var all: [Parameter] { flatMap(\.parameters) }

  private func meanWeight(in context: Context) -> Tensor { context.mean(of: map(\.weight)) }
  private func meanBias(in context: Context) -> Tensor { context.mean(of: compactMap(\.bias)) }

  /// One layer with the means of the weights.
  fileprivate var mean: any BottleneckLayer {
    count == 1 ? self[0] : DerivedLinear(from: all, weight: { meanWeight(in: $0) }, bias: { meanBias(in: $0) })
  }

  /// One layer that gives the columns of all, one after another.
  fileprivate var joined: any BottleneckLayer {
    count == 1
      ? self[0]
      : DerivedLinear(
        from: all, weight: { context in context.stacked(map { context.value(of: $0.weight) }) },
        bias: { context in
          let biases = context.stacked(compactMap(\.bias).map(context.value))
          return context.reshaped(biases, rows: 1, columns: biases.count)
        })
  }

  /// One layer that takes the mean over `copies` inputs beside each other, and applies ``mean``.
  fileprivate func spread(over copies: Int) -> any BottleneckLayer {
    guard copies > 1 else { return mean }
    return DerivedLinear(
      from: all,
      weight: { context in
        let share = context.scaled(meanWeight(in: context), by: 1 / Float(copies))
        return (1..<copies).reduce(share) { wide, _ in context.joined(wide, share) }
      }, bias: { meanBias(in: $0) })
  }
}

extension Context {
  fileprivate func mean(of parameters: [Parameter]) -> Tensor {
    let sum = parameters.dropFirst().reduce(value(of: parameters[0])) { add($0, value(of: $1)) }
    return scaled(sum, by: 1 / Float(parameters.count))
  }
}
