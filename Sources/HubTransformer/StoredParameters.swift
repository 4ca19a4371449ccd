import HubWords
public import HubTensor
public import HubWeights

/// Parameters from a file: mapped where they are float32, converted otherwise.
public struct StoredParameters: ParameterProvider {
  private let tensors: [String: StoredTensor]
  private let engine: Engine

  /// - Parameter tensors: by the names that the model asks for
  public init(_ tensors: [String: StoredTensor], engine: Engine) {
    self.tensors = tensors
    self.engine = engine
  }

  public func has(_ name: String) -> Bool { tensors[name] != nil }

  public func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    guard let stored = tensors[name] else { throw Failure(.unfittingWeights, "the tensor is missing", at: name) }
    guard stored.shape == shape else {
      throw Failure(.unfittingWeights, "the tensor has the shape \(stored.shape) instead of \(shape)", at: name)
    }
    let (rows, columns) = shape.asMatrix
    return Parameter(name, try tensor(stored, rows, columns), shape: shape)
  }

  private func tensor(_ stored: StoredTensor, _ rows: Int, _ columns: Int) throws -> Tensor {
    let mapped =
      stored.type == .float32
      ? stored.withMappedUnits { Tensor(rows: rows, columns: columns, borrowing: $0, owner: $1) } : nil
    return try mapped ?? Context(engine).tensor(rows: rows, columns: columns, stored.floats())
  }
}
