public import HubAdapters
public import HubTokenizers
public import HubWords

/// Which of several texts goes with another one.
public struct Choice: Answer {
  public static let kind = HeadAnswer.choice

  /// The index of the text with the largest logit.
  public let best: Int
  /// The softmax of the logits.
  public let probabilities: [Double]
  /// One logit for each text.
  public let logits: [Float]

  public static func sequences(
    of input: TextInput, for head: any Head, by encoder: InputEncoder
  ) throws -> [Encoding] {
    guard case .choices(let text, let choices) = input else {
      throw Failure(
        .wrongInput, "the head chooses between texts, but the input has no choices",
        hint: "{\"text\": …, \"choices\": [ … ]}")
    }
    guard choices.count == head.labels.count else {
      throw Failure(
        .wrongInput, "the head chooses one of \(head.labels.count) texts, but the input has \(choices.count)")
    }
    return try choices.map { try encoder.tokenizer.encode(text, pair: $0, maxLength: encoder.limit) }
  }

  public init(_ question: AnsweredQuestion) {
    logits = question.rows[0]
    best = logits.largestIndex
    probabilities = logits.softmax
  }

  public var json: JSON.Members {
    [
      "choice": .integer(best), "probabilities": .array(probabilities.map(JSON.number)), "logits": .numbers(logits),
    ]
  }

  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    style.line("choice \(best)", probabilities[best], input)
  }
}
