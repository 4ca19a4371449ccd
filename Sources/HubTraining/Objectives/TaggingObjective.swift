import HubTokenizers
public import HubAdapters
public import HubModels
public import HubWords

/// A label for each word, taught and read at the word's first piece.
public enum TaggingObjective: Objective {
  public static let task = "tagging"
  public static let columns = (required: ["words", "tags"], optional: [String]())
  public static let answer = HeadAnswer.tokenLabel

  public static func labels(of row: DataRow) throws -> [String] { try row.texts("tags") }

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members {
    [
      "head_type": "tagging", "num_labels": .integer(labels.count), "layers": 1, "activation_function": "tanh",
      "label2id": labelIDs(labels),
    ]
  }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let words = try row.texts("words"), tags = try row.texts("tags")
    guard words.count == tags.count, !words.isEmpty else {
      throw row.failure("there are \(words.count) words and \(tags.count) tags")
    }
    let numbers = try tags.map { try encoder.number(of: $0, in: row) }
    let encoding = try encoder.tokenizer.encode(words: words, maxLength: encoder.maximumLength)
    var labels = [Int?](repeating: nil, count: encoding.count)
    for (word, tokens) in encoding.wordTokens { labels[tokens.lowerBound] = numbers[word] }
    return [TrainingExample([encoding.sequence], .tags(labels))]
  }
}
