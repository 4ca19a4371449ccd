public import HubAdapters
public import HubModels
public import HubWords

/// Which of several texts goes with another one. The label is the number of the right one, counted from 0.
public enum MultipleChoiceObjective: Objective {
  public static let task = "multiple_choice"
  public static let columns = (required: ["text", "choices", "label"], optional: [String]())
  public static let answer = HeadAnswer.choice

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members {
    guard let row = rows.first else { return [:] }
    return [
      "head_type": "multiple_choice", "num_choices": .integer(try choices(of: row).count), "layers": 2,
      "activation_function": "tanh", "use_pooler": false,
    ]
  }

  private static func choices(of row: DataRow) throws -> [String] {
    guard let choices = try row.value("choices").strings, choices.count > 1 else {
      throw row.failure("choices is not an array of at least two texts")
    }
    return choices
  }

  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let text = try row.text("text"), choices = try choices(of: row), value = try row.value("label")
    guard let label = value.integer ?? value.string.flatMap({ Int($0) }), choices.indices.contains(label) else {
      throw row.failure("label is not the number of one of the \(choices.count) choices")
    }
    guard encoder.labels.isEmpty || encoder.labels.count == choices.count else {
      throw row.failure("there are \(choices.count) choices, and the head has \(encoder.labels.count)")
    }
    return [TrainingExample(try choices.map { try encoder.sequence(text, pair: $0) }, .label(label))]
  }
}
