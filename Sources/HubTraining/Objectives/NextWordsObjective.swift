import HubTokenizers
public import HubAdapters
public import HubModels
public import HubTransformer
public import HubWords

/// Which token follows (Radford et al. 2018), for decoders: of whole texts, or of what completes a prompt, which is
/// read and not learned. Each text ends with the token that ends texts. Long texts are cut into windows, long
/// completions at their end.
public enum NextWordsObjective: Objective {
  public static let task = "causal_lm"
  public static let columns = (required: [String](), optional: ["text", "prompt", "completion"])
  public static let answer = HeadAnswer.word

  public static func suits(_ base: any BaseModel) -> Bool { base is any Decoder }

  /// What the checkpoint writes with; a fresh one would write nothing that makes sense.
  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members { ["head_type": "causal_lm"] }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let prompt = try row.optionalText("prompt"), completion = try row.optionalText("completion")
    switch (try row.optionalText("text"), prompt, completion) {
    case (let text?, nil, nil): return try windows(of: text, encoder)
    case (nil, let prompt?, let completion?): return try completed(prompt, by: completion, encoder)
    default: throw row.failure("a row has text, or prompt and completion")
    }
  }

  private static func windows(of text: String, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let ids = encoder.ended(try encoder.tokenizer.encode(text).ids.map(Int.init))
    let labels = ids.dropFirst().map(Optional.some) + [nil]
    return stride(from: 0, to: ids.count, by: encoder.maximumLength).compactMap { first in
      example(ids, labels, first..<min(first + encoder.maximumLength, ids.count))
    }
  }

  private static func completed(
    _ prompt: String, by completion: String, _ encoder: ExampleEncoder
  ) throws -> [TrainingExample] {
    let encoding = try encoder.tokenizer.encode(prompt + completion), length = Int32(prompt.unicodeScalars.count)
    let ids = encoder.ended(encoding.ids.map(Int.init))
    let isLearned = ids.indices.map { token in
      token >= encoding.count || !encoding.specialMask[token] && encoding.offsets[token].lowerBound >= length
    }
    let labels = ids.indices.map { token in
      token + 1 < ids.count && isLearned[token + 1] ? ids[token + 1] : nil
    }
    return [example(ids, labels, 0..<min(ids.count, encoder.maximumLength))].compactMap(\.self)
  }

  private static func example(_ ids: [Int], _ labels: [Int?], _ range: Range<Int>) -> TrainingExample? {
    guard labels[range].contains(where: { $0 != nil }) else { return nil }
    let part = Array(ids[range])
    return TrainingExample([(part, Array(repeating: 0, count: part.count))], .tags(Array(labels[range])))
  }
}
