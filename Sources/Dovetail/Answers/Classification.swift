public import HubAdapters
public import HubWords

/// What a classification head says about a text.
public struct Classification: Answer {
  public static let kind = HeadAnswer.label

  /// The label with the largest logit.
  public let label: String
  /// Its share, between 0 and 1.
  public let probability: Double
  /// All labels in the order of the logits.
  public let labels: [String]
  /// The softmax of the logits.
  public let probabilities: [Double]
  /// One logit for each label.
  public let logits: [Float]

  public init(_ question: AnsweredQuestion) {
    labels = question.head.labels
    logits = question.rows[0]
    let best = logits.largestIndex
    probabilities = logits.softmax
    label = labels[best]
    probability = probabilities[best]
  }

  public var json: JSON.Members {
    [
      "label": .string(label), "probability": .number(probability), "labels": .array(labels.map(JSON.string)),
      "logits": .numbers(logits),
    ]
  }

  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    let width = labels.map { style.width(of: style.escaped($0)) }.max() ?? 0
    return style.line(style.padded(style.escaped(label), to: width), probability, input)
  }
}
