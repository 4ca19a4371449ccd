/// What a recorded pass remembers: for each operation that a gradient flows through, how to take it back.
final class Tape {
  /// Spreads the gradient of an operation's result over its inputs.
  typealias Derivative = (_ gradient: Tensor, _ gradients: Gradients) -> Void

  private(set) var entries: [Derivative] = []

  func push(_ derivative: @escaping Derivative) -> Int {
    entries.append(derivative)
    return entries.count - 1
  }
}

/// The gradients of one backward pass.
public final class Gradients {
  private unowned let context: Context
  private var nodes: [Int: Tensor] = [:]
  private var parameters: [ObjectIdentifier: Tensor] = [:]

  init(context: Context) { self.context = context }

  /// The gradient of a trained parameter, in its shape; zero if the pass used it and the loss does not depend on it,
  /// `nil` if the pass did not use it.
  public subscript(parameter: Parameter) -> Tensor? {
    parameters[ObjectIdentifier(parameter)]
      ?? (context.hasUsed(parameter) ? context.zeros(parameter.rows, parameter.columns) : nil)
  }

  func wants(_ tensor: Tensor) -> Bool { tensor.node != nil }
  func wants(_ parameter: Parameter?) -> Bool { parameter.map(context.trains) ?? false }

  func add(_ gradient: Tensor, to tensor: Tensor) {
    guard let node = tensor.node else { return }
    accumulate(gradient, in: &nodes, node)
  }

  func add(_ gradient: Tensor, to parameter: Parameter) {
    accumulate(gradient, in: &parameters, ObjectIdentifier(parameter))
  }

  func take(_ node: Int) -> Tensor? { nodes.removeValue(forKey: node) }

  /// The sum is taken out before it is added to, or it would never be its memory's only owner.
  private func accumulate<Key: Hashable>(_ gradient: Tensor, in sums: inout [Key: Tensor], _ key: Key) {
    guard var sum = sums.removeValue(forKey: key) else {
      sums[key] = gradient
      return
    }
    context.accumulate(gradient, into: &sum)
    sums[key] = sum
  }
}
