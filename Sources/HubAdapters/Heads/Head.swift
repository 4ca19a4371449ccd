public import HubManifest
public import HubTensor
public import HubTransformer

extension Failure.Code {
  /// A head's configuration names a type or an option that Dovetail does not have.
  public static let unsupportedHead = Self("head/unsupported", .badData)
  /// A value in a head's configuration is out of range.
  public static let invalidHead = Self("head/configuration", .badData)
}

/// A prediction head. One file under `Heads/`, one line in ``Heads``.
public protocol Head: Sendable {
  /// The values of `head_type` in AdapterHub's `head_config.json` that mean this head.
  static var types: [String] { get }

  /// - Throws: ``Failure`` that names the key or the tensor that is wrong.
  init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws

  /// What the columns of the logits mean.
  var labels: [String] { get }

  /// Whether there is a row of logits for each token, or one for each sequence.
  var answersTokens: Bool { get }

  /// The logits, `[tokens or sequences, labels]`.
  ///
  /// - Parameter hidden: the base model's last hidden states
  /// - Throws: ``Failure`` if the base model lacks what the head needs.
  func callAsFunction(_ hidden: Tensor, _ sequences: Sequences, base: any BaseModel, in context: Context) throws -> Tensor

  /// What training makes small, `[1, 1]`: cross entropy unless the head says otherwise.
  ///
  /// - Parameter labels: one for each row of the logits; `nil` leaves the row out
  func loss(_ logits: Tensor, labels: [Int?], in context: Context) -> Tensor

  var parameters: [Parameter] { get }
}

extension Head {
  public func loss(_ logits: Tensor, labels: [Int?], in context: Context) -> Tensor { context.crossEntropy(logits, labels: labels) }
}

/// The heads that Dovetail knows.
public enum Heads {
  public static let all: [any Head.Type] = [
    ClassificationHead.self,
    TaggingHead.self,
  ]

  /// Loads a head, after ``check(_:_:shape:)``.
  public static func load(_ configuration: JSONObject, _ stored: StoredWeights, shape: BaseShape, engine: Engine) throws -> any Head {
    let type = try type(for: configuration)
    return try stored.load(engine: engine) { try type.init(configuration: configuration, shape: shape, weights: $0) as any Head }
  }

  /// Accounts for every tensor of a head.
  ///
  /// - Throws: ``Failure``: an unsupported type, a wrong configuration, tensors that do not fit.
  public static func check(_ configuration: JSONObject, _ stored: StoredWeights, shape: BaseShape) throws {
    let type = try type(for: configuration)
    _ = try stored.check { try type.init(configuration: configuration, shape: shape, weights: $0) as any Head }
  }

  private static func type(for configuration: JSONObject) throws -> any Head.Type {
    let name = try configuration.string("head_type")
    if let type = all.first(where: { $0.types.contains(name) }) { return type }
    let known = all.flatMap { $0.types }.joined(separator: ", ")
    throw Failure(.unsupportedHead, "the head type \(name.debugDescription) is not supported", at: configuration.path(to: "head_type"), hint: "supported: \(known)")
  }
}

/// The linear layers of a head, an activation between them.
struct HeadLayers: Sendable {
  private let linears: [Linear]
  private let activation: Activation
  let labels: [String]

  /// - Parameter hasLastBias: whether the last layer may lack a bias
  init(_ c: JSONObject, hidden: Int, from weights: ParameterSource, hasLastBias: Bool = true) throws {
    let layers = try c.optionalInteger("layers") ?? 1, labelCount = try c.integer("num_labels")
    guard (1...16).contains(layers) else { throw Failure(.invalidHead, "\(layers) is not between 1 and 16", at: c.path(to: "layers")) }
    guard (1...10_000).contains(labelCount) else { throw Failure(.invalidHead, "\(labelCount) is not between 1 and 10000", at: c.path(to: "num_labels")) }
    activation = try Self.activation(c)
    labels = try Self.labels(c, labelCount)
    linears = try (0..<layers).map { index in
      let isLast = index == layers - 1
      return try Linear(from: weights["linear"][index], hidden, isLast ? labelCount : hidden, bias: !isLast || hasLastBias)
    }
  }

  private static func activation(_ c: JSONObject) throws -> Activation {
    guard let name = try c.optionalString("activation_function") else { return .identity }
    guard let activation = Activation(named: name) else {
      throw Failure(.unsupportedHead, "the activation \(name.debugDescription) is unknown", at: c.path(to: "activation_function"))
    }
    return activation
  }

  /// The names of `label2id` in the order of their ids; `LABEL_0`, `LABEL_1`… where there are none.
  private static func labels(_ c: JSONObject, _ count: Int) throws -> [String] {
    guard let map = try c.optionalObject("label2id") else { return (0..<count).map { "LABEL_\($0)" } }
    var labels = [String?](repeating: nil, count: count)
    for entry in map.members.entries {
      guard let id = entry.value.integer, labels.indices.contains(id), labels[id] == nil else {
        throw Failure(.invalidHead, "a label needs an id of its own between 0 and \(count - 1)", at: map.path(to: entry.key))
      }
      labels[id] = entry.key
    }
    return labels.enumerated().map { $1 ?? "LABEL_\($0)" }
  }

  func callAsFunction(_ x: Tensor, in cx: Context) -> Tensor {
    linears.enumerated().reduce(x) { x, layer in
      layer.element(x, then: layer.offset < linears.count - 1 ? activation : .identity, in: cx)
    }
  }

  var parameters: [Parameter] { linears.flatMap(\.parameters) }
}
