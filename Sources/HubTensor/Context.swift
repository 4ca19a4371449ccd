import CHubKernels

/// What a forward pass runs in. `Context(engine)` infers; `Context(engine, training: parameters)` records what is
/// needed to differentiate with respect to those parameters, and nothing else: below the lowest of them, a
/// recorded pass is an inference.
///
/// A context belongs to one thread; models and adapters are shared freely.
public final class Context {
  /// The kernels, threads and memory that operations use.
  public let engine: Engine
  /// What ``Parameter/prepare(in:precision:)`` packs weights in unless it is told otherwise.
  public let precision: Precision
  /// Where dropout takes its random numbers from; `nil` where nothing is dropped.
  public let randomness: Randomness?
  private let tape: Tape?
  private let trained: Set<ObjectIdentifier>
  /// The trained parameters that the pass has come across.
  private var used: Set<ObjectIdentifier> = []
  /// The places of this pass where something was dropped so far.
  var droppedPlaces: UInt64 = 0

  /// - Parameters:
  ///   - engine: what operations run on
  ///   - parameters: those whose gradients are wanted; without any, nothing is recorded
  ///   - precision: that of frozen weights in products
  ///   - randomness: makes the pass one of training, in which dropout acts
  public init(
    _ engine: Engine, training parameters: [Parameter] = [], precision: Precision = .float32,
    randomness: Randomness? = nil
  ) {
    self.engine = engine
    self.precision = precision
    self.randomness = randomness
    trained = Set(parameters.map(ObjectIdentifier.init))
    tape = parameters.isEmpty ? nil : Tape()
  }

  /// Whether operations are recorded for gradients.
  public var isRecording: Bool { tape != nil }

  /// Whether gradients with respect to `parameter` are wanted.
  public func trains(_ parameter: Parameter) -> Bool { trained.contains(ObjectIdentifier(parameter)) }

  /// A tensor whose values are whatever the memory held.
  func empty(_ rows: Int, _ columns: Int) -> Tensor {
    Tensor(rows: rows, columns: columns, block: engine.pool.take(rows * columns))
  }

  func zeros(_ rows: Int, _ columns: Int) -> Tensor {
    let tensor = empty(rows, columns)
    tensor.block.base.update(repeating: 0, count: tensor.count)
    return tensor
  }

  /// A tensor with these values, row by row. There must be `rows * columns` of them.
  public func tensor(rows: Int, columns: Int, _ values: some Collection<Float>) -> Tensor {
    precondition(values.count == rows * columns)
    let tensor = empty(rows, columns)
    let isCopied: Void? = values.withContiguousStorageIfAvailable { source in
      if let base = source.baseAddress { tensor.block.base.update(from: base, count: tensor.count) }
    }
    if isCopied == nil {
      _ = UnsafeMutableBufferPointer(start: tensor.block.base, count: tensor.count).update(from: values)
    }
    return tensor
  }

  /// Gives `tensor` memory of its own if it shares it, so that it may be written.
  func own(_ tensor: inout Tensor) {
    if isKnownUniquelyReferenced(&tensor.block), tensor.block.isWritable { return }
    let copy = engine.pool.take(tensor.count)
    copy.base.update(from: tensor.base, count: tensor.count)
    tensor.block = copy
  }

  func accumulate(_ addend: Tensor, into sum: inout Tensor) {
    own(&sum)
    kernels.add_scaled(sum.block.base, addend.base, 1, sum.count)
  }

  var kernels: hub_kernels { engine.kernels.table }

  func isRecorded(_ tensors: Tensor?..., parameters: Parameter?...) -> Bool {
    guard tape != nil else { return false }
    var usesTrained = false
    for case let parameter? in parameters where trains(parameter) {
      used.insert(ObjectIdentifier(parameter))
      usesTrained = true
    }
    return usesTrained || tensors.contains { $0?.node != nil }
  }

  /// Says that a pass uses weights that happen to have nothing to act on: their gradient is zero, and not missing.
  public func use(_ parameters: [Parameter]) {
    used.formUnion(parameters.map(ObjectIdentifier.init).filter(trained.contains))
  }

  /// Whether the pass has come across a trained parameter.
  func hasUsed(_ parameter: Parameter) -> Bool { used.contains(ObjectIdentifier(parameter)) }

  /// Marks `result` as differentiable. To be called only where ``isRecorded(_:parameters:)``.
  func record(_ result: inout Tensor, _ derivative: @escaping Tape.Derivative) {
    result.node = tape?.push(derivative)
  }

  /// The gradients of a recorded scalar.
  public func gradients(of loss: Tensor) -> Gradients {
    precondition(loss.count == 1, "only a scalar has gradients here")
    let gradients = Gradients(context: self)
    gradients.add(tensor(rows: 1, columns: 1, [1]), to: loss)
    for (node, derivative) in (tape?.entries ?? []).enumerated().reversed() {
      if let gradient = gradients.take(node) { derivative(gradient, gradients) }
    }
    return gradients
  }

  /// Runs `body` on ranges that together cover `0..<rows`, in parallel where the work is worth it.
  func forRows(_ rows: Int, cost: Int, _ body: (Range<Int>) -> Void) {
    let pieces = rows * cost < 1 << 15 ? 1 : min(rows, engine.workers.count)
    engine.workers.run(pieces) { index, _ in body(rows * index / pieces..<rows * (index + 1) / pieces) }
  }
}
