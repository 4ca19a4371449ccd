import HubTokenizers
public import HubAdapters
public import HubModels
public import HubTransformer
public import HubWords

/// What an encoder-decoder writes of a text that it reads (Sutskever et al. 2014): a translation, a summary, an answer.
/// The decoder reads the right words before each one that it learns. Both texts are cut at their end.
public enum WrittenTextObjective: Objective {
  public static let task = "seq2seq_lm"
  public static let columns = (required: ["text", "target"], optional: [String]())
  public static let answer = HeadAnswer.word

  public static func suits(_ base: any BaseModel) -> Bool { base is any EncoderDecoder }

  /// What the checkpoint writes with; a fresh one would write nothing that makes sense.
  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members { ["head_type": "seq2seq_lm"] }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let source = try encoder.sequence(row.text("text"))
    let target = encoder.ended(
      try encoder.tokenizer.encode(row.text("target"), pair: nil, maxLength: encoder.maximumLength).ids.map(Int.init))
    return [TrainingExample([source], .written(reading: encoder.decoderInput(target), target))]
  }
}
