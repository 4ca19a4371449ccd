import HubManifest
public import HubTensor
public import HubWeights

/// The tensors of one file, by the names that a model, an adapter or a head asks for.
public struct StoredWeights: Sendable {
  public let tensors: [String: StoredTensor]

  public init(_ tensors: [String: StoredTensor]) { self.tensors = tensors }

  /// Builds what `body` builds from these weights, after making sure that every tensor is asked for, is there, and has
  /// the right shape.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights`` that says everything that does not fit.
  public func load<Loaded>(engine: Engine, _ body: (ParameterSource) throws -> Loaded) throws -> Loaded {
    let schema = SchemaParameters { tensors[$0] != nil }
    _ = try body(ParameterSource(schema))
    try schema.check(against: tensors.mapValues(\.shape))
    return try body(ParameterSource(StoredParameters(tensors, engine: engine)))
  }
}
