import HubTokenizers
public import HubAdapters
public import HubModels
public import HubTransformer
public import HubWords

/// Which words stand where masks are (Devlin et al. 2019): whole words, chosen again each time a text is read. Long
/// texts are cut into windows. A text and its translation as `pair` are guessed together, and each helps with the other
/// (Lample and Conneau 2019); together they are cut to the longest sequence.
public enum MaskedWordsObjective: Objective {
  public static let task = "masked_lm"
  public static let columns = (required: ["text"], optional: ["pair"])
  public static let answer = HeadAnswer.word

  public static func suits(_ base: any BaseModel) -> Bool { !base.writes }

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members {
    [
      "head_type": "masked_lm", "vocab_size": .integer(vocabularySize), "embedding_size": .integer(shape.embeddingSize),
      "layers": 2, "activation_function": "gelu", "layer_norm": true, "bias": true,
    ]
  }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let text = try row.text("text"), pair = try row.optionalText("pair"), tokenizer = encoder.tokenizer
    let encodings =
      try pair == nil
      ? tokenizer.windows(text, pair: nil, maxLength: encoder.maximumLength, overlap: 0)
      : [tokenizer.encode(text, pair: pair, maxLength: encoder.maximumLength)]
    return encodings.compactMap { encoding in
      let words = encoding.wordTokens.map(\.tokens)
      return words.isEmpty ? nil : TrainingExample([encoding.sequence], .words(words))
    }
  }
}
