import HubTokenizers
public import HubAdapters
public import HubModels
public import HubWords

/// Which word each word depends on, and how. A sentence that is longer than the model takes teaches nothing.
public enum ParsingObjective: Objective {
  public static let task = "dependency_parsing"
  public static let columns = (required: ["words", "heads", "relations"], optional: [String]())
  public static let answer = HeadAnswer.tree

  public static func labels(of row: DataRow) throws -> [String] { try row.texts("relations") }

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members {
    ["head_type": "dependency_parsing", "num_labels": .integer(labels.count), "label2id": labelIDs(labels)]
  }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let words = try row.texts("words"), relations = try row.texts("relations")
    let heads = try row.value("heads").integers ?? row.texts("heads").compactMap { Int($0) }
    guard words.count == heads.count, words.count == relations.count, !words.isEmpty,
      heads.allSatisfy({ (0...words.count).contains($0) })
    else { throw row.failure("words, heads and relations do not fit each other") }
    let encoding = try encoder.tokenizer.encode(words: words, maxLength: nil), found = encoding.wordTokens
    guard encoding.count <= encoder.maximumLength, found.map(\.word) == Array(words.indices) else { return [] }
    let tree = try zip(heads, relations).map { (head: $0, relation: try encoder.number(of: $1, in: row)) }
    return [TrainingExample([encoding.sequence], .tree(tree), words: found.map(\.tokens))]
  }
}
