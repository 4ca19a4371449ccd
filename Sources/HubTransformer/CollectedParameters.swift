public import HubTensor
import Synchronization

/// Hands on parameters of another source, and remembers which: a model does not list its weights, it asks for them.
///
/// Weights that belong to something else as well, such as an output layer that is the table of the input embeddings,
/// are taken from there.
public final class CollectedParameters: ParameterProvider {
  private let source: any ParameterProvider
  private let shared: [String: Parameter]
  private let collected = Mutex<[Parameter]>([])

  /// - Parameter shared: by the names under which they are asked for
  public init(_ source: any ParameterProvider, sharing shared: [String: Parameter] = [:]) {
    (self.source, self.shared) = (source, shared)
  }

  /// Those of the source that were asked for so far, in that order.
  public var parameters: [Parameter] { collected.withLock { $0 } }

  public func has(_ name: String) -> Bool { shared[name] != nil || source.has(name) }

  public func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    if let shared = shared[name], shared.shape == shape { return shared }
    let parameter = try source.parameter(name, shape, initially: initial)
    collected.withLock { $0.append(parameter) }
    return parameter
  }
}

extension StoredWeights {
  /// As ``load(engine:_:)``, with weights that belong to something else as well.
  ///
  /// - Parameter shared: by the names under which they are asked for
  /// - Returns: also the weights that are of these
  public func load<Loaded>(
    engine: Engine, sharing shared: [String: Parameter], _ body: (ParameterSource) throws -> Loaded
  ) throws -> (loaded: Loaded, parameters: [Parameter]) {
    try check(body)
    let source = CollectedParameters(StoredParameters(tensors, engine: engine), sharing: shared)
    let loaded = try body(ParameterSource(source))
    return (loaded, source.parameters)
  }
}
