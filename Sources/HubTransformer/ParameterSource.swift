public import HubWords
public import HubTensor

extension Failure.Code {
  /// Weights do not match what the model or the configuration asks for: a tensor is missing, extra, or of another
  /// shape.
  public static let unfittingWeights = Self("weights/unfitting", .badData)
}

/// How a parameter starts when nothing was trained yet.
public enum Initializer: Hashable, Sendable {
  case zeros
  case ones
  /// Gaussian around zero.
  case normal(deviation: Float)
  /// Uniform in ±√(6 / ((1 + a²) · columns)) (He et al. 2015).
  case kaimingUniform(a: Float)
  case uniform(bound: Float)
  /// Ones on the diagonal, `rest` elsewhere.
  case identity(rest: Float)
  case constant(Float)
  /// This value on the diagonal, zeros elsewhere.
  case diagonal(Float)
}

/// A path and a place where parameters come from: a file, fresh values, or nowhere (a ``SchemaParameters`` only
/// writes down what is asked for). The `init` of a model or an adapter reads as its list of weights.
public struct ParameterSource: Sendable {
  /// What stands before every name, with its dot.
  public let prefix: String
  private let provider: any ParameterProvider

  public init(_ provider: any ParameterProvider) {
    self.init(prefix: "", provider)
  }

  private init(prefix: String, _ provider: any ParameterProvider) {
    self.prefix = prefix
    self.provider = provider
  }

  /// The same source, one level down.
  public subscript(component: String) -> ParameterSource { ParameterSource(prefix: "\(prefix)\(component).", provider) }
  /// The weights of one of several numbered modules.
  public subscript(index: Int) -> ParameterSource { self["\(index)"] }

  /// A parameter of the given shape.
  ///
  /// - Parameter shape: as stored: `[count]` for a vector, `[out, in]` for the weight of a linear layer
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights`` that names the tensor.
  public func parameter(_ name: String, _ shape: [Int], initially initial: Initializer = .zeros) throws -> Parameter {
    try provider.parameter(prefix + name, shape, initially: initial)
  }

  /// Whether the source has this parameter, for weights that some checkpoints leave out.
  public func has(_ name: String) -> Bool { provider.has(prefix + name) }
}

/// Where parameters come from.
public protocol ParameterProvider: Sendable {
  /// A weight of this name and shape.
  ///
  /// - Parameters:
  ///   - shape: one or two dimensions
  ///   - initial: what it begins with, where weights are made
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights``.
  func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter
  /// Whether there is a weight of this name.
  func has(_ name: String) -> Bool
}

extension [Int] {
  /// A shape as the matrix that a ``Parameter`` holds: the last dimension is the columns.
  var asMatrix: (rows: Int, columns: Int) {
    guard let last else { return (1, 1) }
    return (dropLast().reduce(1, *), last)
  }
}
