public import HubAdapters
public import HubModels
public import HubWords

/// One label for a text or a pair of texts.
public enum ClassificationObjective: Objective {
  public static let task = "classification"
  public static let columns = (required: ["text", "label"], optional: ["pair"])
  public static let answer = HeadAnswer.label

  public static func labels(of row: DataRow) throws -> [String] { [try row.label("label")] }

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members { pooledHead("classification", labels) }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let sequence = try encoder.sequence(row.text("text"), pair: row.optionalText("pair"))
    return [TrainingExample([sequence], .label(try encoder.number(of: row.label("label"), in: row)))]
  }
}
