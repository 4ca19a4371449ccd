import HubTokenizers
public import HubAdapters
public import HubModels
public import HubWords

/// Which words stand where masks are (Devlin et al. 2019): whole words, chosen anew each time a text is read. Long texts are
/// cut into windows.
public enum MaskedWordsObjective: Objective {
  public static let task = "masked_lm"
  public static let columns = (required: ["text"], optional: [String]())
  public static let answer = HeadAnswer.word

  public static func labels(of row: DataRow) throws -> [String] { [] }

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members {
    [
      "head_type": "masked_lm", "vocab_size": .integer(vocabularySize), "embedding_size": .integer(shape.embeddingSize),
      "layers": 2, "activation_function": "gelu", "layer_norm": true, "bias": true,
    ]
  }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    try encoder.tokenizer.windows(row.text("text"), pair: nil, maxLength: encoder.maximumLength, overlap: 0)
      .compactMap { window in
        let words = window.wordTokens.map(\.tokens)
        return words.isEmpty ? nil : TrainingExample([window.sequence], .words(words))
      }
  }
}
