import HubWords
public import HubTensor
public import HubWeights

/// The tensors of one file, by the names that a model, an adapter or a head asks for.
public struct StoredWeights: Sendable {
  /// The tensors by name.
  public let tensors: [String: StoredTensor]

  public init(_ tensors: [String: StoredTensor]) { self.tensors = tensors }

  public init(_ tensors: [StoredTensor]) {
    self.init(Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }))
  }

  /// The tensors of parameters as they are now, for saving what was trained.
  public init(of parameters: [Parameter]) throws {
    self.init(
      try parameters.map { try StoredTensor(name: $0.name, shape: $0.shape, floats: $0.value.values) })
  }

  /// In the order in which files keep them.
  public var ordered: [StoredTensor] {
    tensors.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// Builds what `body` builds from these weights, after ``check(_:)``.
  public func load<Loaded>(engine: Engine, _ body: (ParameterSource) throws -> Loaded) throws -> Loaded {
    try check(body)
    return try body(ParameterSource(StoredParameters(tensors, engine: engine)))
  }

  /// Makes sure that `body` asks for every tensor, that every tensor it asks for is there, and in the right shape;
  /// reads no weights.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights`` that says everything that does not fit.
  @discardableResult
  public func check<Loaded>(_ body: (ParameterSource) throws -> Loaded) throws -> Loaded {
    let schema = SchemaParameters { tensors[$0] != nil }
    let loaded = try body(ParameterSource(schema))
    try schema.check(against: tensors.mapValues(\.shape))
    return loaded
  }
}
