public import HubTensor

/// A parameter that is trained.
public struct TrainedParameter: Sendable {
  /// Its name among those that are trained together, under which checkpoints keep what belongs to it.
  public let name: String
  /// The weight itself.
  public let parameter: Parameter
  /// Whether weight decay applies to it.
  public let decays: Bool

  public init(_ name: String, _ parameter: Parameter, decays: Bool = true) {
    (self.name, self.parameter, self.decays) = (name, parameter, decays)
  }

  /// All weights of a list under their own names, without weight decay for vectors: biases and the gains of norms.
  public static func named(_ parameters: [Parameter], prefix: String = "") -> [TrainedParameter] {
    parameters.map { TrainedParameter(prefix + $0.name, $0, decays: $0.rows > 1) }
  }
}

/// What an optimiser remembers from step to step.
public struct OptimizerState: Sendable {
  /// The steps taken so far.
  public var steps = 0
  /// By what they are, such as a moment, and by the name of the parameter.
  public var tensors: [String: [String: Tensor]] = [:]

  public init() {}

  /// Takes a tensor out, so that it has one owner while it is changed.
  mutating func take(_ kind: String, of parameter: TrainedParameter) -> Tensor? {
    tensors[kind]?.removeValue(forKey: parameter.name)
  }

  mutating func put(_ tensor: Tensor, as kind: String, of parameter: TrainedParameter) {
    tensors[kind, default: [:]][parameter.name] = tensor
  }
}

/// Moves parameters against their gradients. One file each under `Optimizers/`.
public protocol Optimizer: Sendable {
  /// The learning rate that schedules scale; `nil` if the optimiser chooses its own.
  var learningRate: Float? { get set }
  /// What it remembers from step to step, for a checkpoint.
  var state: OptimizerState { get set }

  /// One step. A parameter without a gradient, which no pass has used, stays where it is.
  ///
  /// - Parameters:
  ///   - gradients: as many as parameters
  ///   - factor: what the learning rate is multiplied by in this step
  mutating func update(
    _ parameters: [TrainedParameter], _ gradients: [Tensor?], factor: Double, in context: Context)
}
