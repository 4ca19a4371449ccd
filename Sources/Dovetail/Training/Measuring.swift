import HubAdapters
import HubTensor
import HubTokenizers
public import HubTraining
import HubTransformer
import HubWords

extension ComposedModel {
  /// Measures what the first head says of a file's rows.
  ///
  /// - Parameters:
  ///   - columns: the file's names of columns, by the task's
  ///   - seed: which words are hidden, for a language model
  /// - Throws: ``Failure``: no task has such a head, a row that is malformed, a label that the head does not have.
  public func scores(
    ofFile path: String, format: DataFormat? = nil, columns: [String: String] = [:], maximumLength: Int? = nil,
    seed: UInt64 = 1
  ) throws -> Scores {
    guard let objective = Objectives.answering(head.answer, on: base.model) else {
      throw Failure(.wrongHead, "there are no figures for heads that answer with a \(head.answer.name)")
    }
    let longest = base.model.maximumLength - (setup?.takenPositions ?? 0)
    var encoder = ExampleEncoder(
      tokenizer: base.tokenizer, maximumLength: min(maximumLength ?? longest, longest), labels: head.labels)
    encoder.writes(with: base.model, endToken: try base.endToken())
    let rows = try (format ?? DataFormat(ofFile: path)).rows(ofFile: path)
    let examples = try rows.flatMap { row in
      var members = row.columns
      for (name, own) in columns { members[name] = try row.value(own) }
      return try objective.examples(of: DataRow(members, file: row.file, line: row.line), encoder)
    }
    guard !examples.isEmpty else { throw Failure(.unsuitableData, "no row can be measured", at: path) }
    let masking = base.tokenizer.specialIDs.mask.map {
      Masking(mask: Int($0), vocabulary: base.tokenizer.vocabularySize)
    }
    return try TrainingModel(base: base.model, setup: setup, heads: [head]).scores(
      of: examples, masking: masking, seed: seed, on: base.engine)
  }
}
