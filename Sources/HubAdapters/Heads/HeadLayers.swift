import HubWords
import HubTensor
import HubTransformer

/// The linear layers of a head, an activation between them.
struct HeadLayers: Sendable {
  private let linears: [Linear]
  private let activation: Activation
  /// The rate at which training drops what each layer reads.
  private let dropout: Float
  let labels: [String]

  /// - Parameters:
  ///   - outputs: the columns of the last layer, if they are not the labels
  ///   - hasLastBias: whether the last layer may lack a bias
  init(
    _ c: JSONObject, hidden: Int, from weights: ParameterSource, outputs: Int? = nil, hasLastBias: Bool = true
  ) throws {
    let layers = try c.optionalInteger("layers") ?? 1, labelCount = try outputs ?? c.integer("num_labels")
    guard (1...16).contains(layers) else {
      throw Failure.outside(1...16, layers, .invalidHead, at: c.path(to: "layers"))
    }
    guard (1...10_000).contains(labelCount) else {
      throw Failure.outside(1...10000, labelCount, .invalidHead, at: c.path(to: "num_labels"))
    }
    activation = try Activation.ofHead(c)
    dropout = try c.dropout("dropout_prob")
    labels = try outputs == nil ? Self.labels(c, labelCount) : []
    linears = try (0..<layers).map { index in
      let isLast = index == layers - 1
      return try Linear(
        from: weights["linear"][index], hidden, isLast ? labelCount : hidden, bias: !isLast || hasLastBias)
    }
  }

  /// The names of `label2id` in the order of their ids; `LABEL_0`, `LABEL_1`… where there are none.
  static func labels(_ c: JSONObject, _ count: Int) throws -> [String] {
    guard let map = try c.optionalObject("label2id") else { return (0..<count).map { "LABEL_\($0)" } }
    var labels = [String?](repeating: nil, count: count)
    for entry in map.members.entries {
      guard let id = entry.value.integer, labels.indices.contains(id), labels[id] == nil else {
        throw Failure(
          .invalidHead, "each label needs its own id between 0 and \(count - 1)", at: map.path(to: entry.key))
      }
      labels[id] = entry.key
    }
    return labels.enumerated().map { $1 ?? "LABEL_\($0)" }
  }

  func callAsFunction(_ x: Tensor, in context: Context) -> Tensor {
    linears.enumerated().reduce(x) { x, layer in
      layer.element(
        context.dropout(x, rate: dropout), then: layer.offset < linears.count - 1 ? activation : .identity, in: context)
    }
  }

  var parameters: [Parameter] { linears.flatMap(\.parameters) }
}

extension Activation {
  /// The `activation_function` of a head; none if the key is missing.
  static func ofHead(_ c: JSONObject) throws -> Activation {
    guard let name = try c.optionalString("activation_function") else { return .identity }
    guard let activation = Activation(named: name) else {
      throw Failure(
        .unsupportedHead, "the activation \(name.debugDescription) is unknown", at: c.path(to: "activation_function"))
    }
    return activation
  }
}

/// Linear layers over one vector for each sequence: its first token, the last where the base model reads from left to
/// right, or, where `use_pooler` says so, the pooler's output.
struct PooledLayers: Sendable {
  private let layers: HeadLayers
  private let usesPooler: Bool
  /// What PEFT's LoRA adds to the pooler: `pooler_scale · B A x`, of the rank `pooler_rank`.
  private let poolerUpdate: (a: Parameter, b: Parameter, scale: Float)?

  init(_ c: JSONObject, hidden: Int, from weights: ParameterSource, outputs: Int? = nil) throws {
    usesPooler = try c.optionalBool("use_pooler") ?? false
    poolerUpdate = try c.optionalInteger("pooler_rank").map { rank in
      guard (1...65_536).contains(rank), c.members["use_pooler"] == true else {
        throw Failure(
          .invalidHead, "the rank must be between 1 and 65536, and the head must use the pooler",
          at: c.path(to: "pooler_rank"))
      }
      return (
        try weights["pooler"].parameter(
          "lora_a", [rank, hidden], initially: .kaimingUniform(a: Float(5).squareRoot())),
        try weights["pooler"].parameter("lora_b", [hidden, rank], initially: .zeros),
        Float(try c.optionalNumber("pooler_scale") ?? 1)
      )
    }
    layers = try HeadLayers(
      c, hidden: hidden, from: weights, outputs: outputs, hasLastBias: try c.optionalBool("bias") ?? true)
  }

  var labels: [String] { layers.labels }
  var parameters: [Parameter] { layers.parameters + (poolerUpdate.map { [$0.a, $0.b] } ?? []) }

  func callAsFunction(_ input: HeadInput, in context: Context) throws -> Tensor {
    guard usesPooler else { return layers(context.rows(input.hidden, input.summaryRows), in: context) }
    let update = poolerUpdate.map { update in
      { (x: Tensor) in context.linear(context.linear(x, update.a), update.b, bias: nil, scale: update.scale) }
    }
    guard let pooled = input.base.pooled(input.hidden, input.sequences, adding: update, in: context) else {
      throw Failure(
        .unsupportedHead, "the head uses the pooler's output, but the base model has no pooler", at: "use_pooler")
    }
    return layers(pooled, in: context)
  }
}
