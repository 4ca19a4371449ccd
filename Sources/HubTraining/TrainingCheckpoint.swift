import Foundation
import HubTensor
import HubWeights
public import HubWords

extension Failure.Code {
  /// A checkpoint is of another recipe, other data or another base.
  public static let foreignCheckpoint = Self("training/checkpoint", .refused)
}

/// Everything that the future of a run depends on. Random numbers and the place in the data follow from the step.
struct TrainingState {
  let steps: Int
  let weights: [Tensor]
  let best: [Tensor]?
  let optimizer: OptimizerState
  let names: [String]
  let evaluations: [EvaluationRecord]
  let bestStep: Int?
  let evaluationsWithoutGain: Int
}

/// A file from which a run goes on as if it had never been interrupted: safetensors, with the figures as JSON in its
/// metadata. It appears whole or not at all.
public struct TrainingCheckpoint: Sendable {
  private static let format = "dovetail-training/1"

  /// Where the file is.
  public let path: String
  /// What the run is, such as a digest of its recipe, its data and its base: a checkpoint goes on only with its own.
  public let identity: String

  public init(path: String, identity: String) { (self.path, self.identity) = (path, identity) }

  /// Whether there is one.
  public var exists: Bool { FileManager.default.fileExists(atPath: path) }

  /// Removes it.
  public func remove() { try? FileManager.default.removeItem(atPath: path) }

  func write(_ state: TrainingState) throws {
    var tensors: [StoredTensor] = []
    func add(_ name: String, _ tensor: Tensor) throws {
      tensors.append(try StoredTensor(name: name, shape: [tensor.rows, tensor.columns], floats: tensor.values))
    }
    for (name, tensor) in zip(state.names, state.weights) { try add("last/\(name)", tensor) }
    for (name, tensor) in zip(state.names, state.best ?? []) { try add("best/\(name)", tensor) }
    for (kind, members) in state.optimizer.tensors {
      for (name, tensor) in members { try add("\(kind)/\(name)", tensor) }
    }
    let evaluations = state.evaluations.map {
      JSON.object(["step": .integer($0.step), "figures": .object($0.figures)])
    }
    let json: JSON = [
      "format": .string(Self.format), "identity": .string(identity), "steps": .integer(state.steps),
      "optimizer_steps": .integer(state.optimizer.steps), "best_step": state.bestStep.map(JSON.integer) ?? .null,
      "evaluations_without_gain": .integer(state.evaluationsWithoutGain), "evaluations": .array(evaluations),
    ]
    try SafetensorsWriter.write(tensors, metadata: ["training": json.text()], to: path)
  }

  func read(_ parameters: [TrainedParameter], in context: Context) throws -> TrainingState {
    try locating(path) {
      let file = try Safetensors.open(path), text = file.metadata["training"] ?? "{}"
      let json = try JSONObject(JSON(parsing: Array(text.utf8)))
      guard try json.string("format") == Self.format, try json.string("identity") == identity else {
        throw Failure(
          .foreignCheckpoint, "the checkpoint belongs to another recipe, other data or another base model",
          hint: "start over with --restart, or put back what was there")
      }
      var optimizer = OptimizerState(), byName: [String: Tensor] = [:]
      optimizer.steps = try json.integer("optimizer_steps")
      for stored in file.tensors {
        guard let slash = stored.name.firstIndex(of: "/"), stored.shape.count == 2 else { continue }
        let kind = String(stored.name[..<slash]), name = String(stored.name[stored.name.index(after: slash)...])
        let tensor = context.tensor(rows: stored.shape[0], columns: stored.shape[1], try stored.floats())
        if kind == "last" || kind == "best" {
          byName[stored.name] = tensor
        } else {
          optimizer.tensors[kind, default: [:]][name] = tensor
        }
      }
      func weights(_ kind: String) throws -> [Tensor] {
        try parameters.map { trained in
          guard let tensor = byName["\(kind)/\(trained.name)"], tensor.count == trained.parameter.count else {
            throw Failure(.foreignCheckpoint, "a weight is missing, or has another size", at: trained.name)
          }
          return tensor
        }
      }
      let evaluations = try json.array("evaluations").map { item in
        let item = try JSONObject(item)
        // What is whole was written as an integer.
        let figures = try item.object("figures").members.entries.reduce(into: JSON.Members()) {
          $0[$1.key] = $1.value.number.map(JSON.number) ?? .null
        }
        return EvaluationRecord(step: try item.integer("step"), figures: figures)
      }
      let bestStep = try json.optionalInteger("best_step")
      return TrainingState(
        steps: try json.integer("steps"), weights: try weights("last"),
        best: try bestStep.map { _ in try weights("best") },
        optimizer: optimizer, names: parameters.map(\.name), evaluations: evaluations, bestStep: bestStep,
        evaluationsWithoutGain: try json.integer("evaluations_without_gain"))
    }
  }
}
