public import HubAdapters
public import HubModels
public import HubWords

/// A number for a text or a pair of texts.
public enum RegressionObjective: Objective {
  public static let task = "regression"
  public static let columns = (required: ["text", "value"], optional: ["pair"])
  public static let answer = HeadAnswer.number

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members { pooledHead("classification", ["value"]) }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let value = try row.value("value")
    guard let number = value.number ?? value.string.flatMap(Double.init), Float(number).isFinite else {
      throw row.failure("value is not a number")
    }
    let sequence = try encoder.sequence(row.text("text"), pair: row.optionalText("pair"))
    return [TrainingExample([sequence], .value(Float(number)))]
  }
}
