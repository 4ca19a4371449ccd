public import HubAdapters
public import HubModels
public import HubWords

/// Any number of labels for a text: an array, or in a table names with spaces between them.
public enum MultiLabelObjective: Objective {
  public static let task = "multilabel_classification"
  public static let columns = (required: ["text", "labels"], optional: ["pair"])
  public static let answer = HeadAnswer.labels

  public static func labels(of row: DataRow) throws -> [String] { try row.texts("labels") }

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members { pooledHead("multilabel_classification", labels) }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let sequence = try encoder.sequence(row.text("text"), pair: row.optionalText("pair"))
    return [
      TrainingExample([sequence], .labels(Set(try row.texts("labels").map { try encoder.number(of: $0, in: row) })))
    ]
  }
}
