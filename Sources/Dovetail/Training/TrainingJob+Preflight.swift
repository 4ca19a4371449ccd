import Foundation
import HubAdapters
import HubTensor
import HubTraining
import HubTransformer
public import HubWords

extension TrainingJob {
  /// What there is to say of a run before it begins.
  public struct Preflight: Sendable {
    /// The files, with the rows of each.
    public let files: [(key: String, name: String, rows: Int)]
    /// The examples that are learned, and those that measure.
    public let train, development, test: Int
    /// The labels of the head.
    public let labels: [String]
    /// Examples to measure that are also in the training data.
    public let duplicates: Int
    /// Rows that teach nothing.
    public let skipped: Int
    /// The share of the sequences that have as many tokens as there may be.
    public let fullShare: Double
    /// The tokens of an epoch.
    public let tokens: Int
    /// The numbers that are trained.
    public let parameters: Int
    /// The sites where adapters act.
    public let sites: Int
    /// The steps of the whole run.
    public let steps: Int
    /// The seconds that the steps may take, measured with one batch.
    public let seconds: Double
    /// The most bytes of memory that were in use with that batch; 0 if the system does not say.
    public let memory: Int

    /// The same for programs.
    public var json: JSON.Members {
      [
        "files": .array(files.map { ["key": .string($0.key), "name": .string($0.name), "rows": .integer($0.rows)] }),
        "examples": ["train": .integer(train), "dev": .integer(development), "test": .integer(test)],
        "labels": .array(labels.map(JSON.string)), "duplicates": .integer(duplicates), "skipped": .integer(skipped),
        "share_at_limit": .number(fullShare), "tokens": .integer(tokens), "parameters": .integer(parameters),
        "sites": .integer(sites), "steps": .integer(steps), "seconds": .number(seconds), "memory": .integer(memory),
      ]
    }
  }

  /// Takes one batch through the model and back, and changes nothing.
  ///
  /// - Throws: ``Failure``: what would stop the first step, too.
  public func preflight() throws -> Preflight {
    let limit = min(recipe.integer("max_length", 128), base.model.maximumLength)
    let sequences = data.train.flatMap(\.sequences), full = sequences.count { $0.ids.count >= limit }
    let tokens = data.train.reduce(0) { $0 + $1.tokenCount }
    let sample = Array(data.train.prefix(recipe.integer("batch_size", 16)))
    var generator = Randomness(seed: 0).generator(for: 0)
    let batch = TrainingBatch(sample, masking: Self.masking(recipe, base), &generator), began = Date()
    let context = Context(engine, training: learned.parameters.map(\.parameter), randomness: Randomness(seed: 0))
    let loss = try learned.model.loss(batch, in: context)
    guard loss.value.isFinite else { throw Failure(.divergence, "the loss is not finite before the first step") }
    _ = context.gradients(of: loss.value)
    let seconds = Date().timeIntervalSince(began), share = Double(tokens) / Double(max(1, batch.tokens.ids.count))
    let epochs = min(
      Double(recipe.integer("epochs", 3)),
      Double(trainer.totalSteps * recipe.integer("accumulate", 1) * max(1, sample.count)) / Double(data.train.count))
    return Preflight(
      files: data.files.map { ($0.key, $0.name, $0.rows) }, train: data.train.count,
      development: data.development.count,
      test: data.test.count, labels: data.labels, duplicates: data.duplicates, skipped: data.skipped,
      fullShare: Double(full) / Double(max(1, sequences.count)), tokens: tokens, parameters: trainer.parameterCount,
      sites: learned.model.setup?.siteCount ?? 0, steps: trainer.totalSteps, seconds: seconds * share * epochs,
      memory: Self.peakMemory)
  }

  /// What Linux says of the process.
  private static var peakMemory: Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
