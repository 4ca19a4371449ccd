public import HubAdapters
public import HubWords

/// The number that a head gives a text.
public struct Regression: Answer {
  public static let kind = HeadAnswer.number

  /// The head's single logit.
  public let value: Float

  public init(_ question: AnsweredQuestion) { value = question.rows[0][0] }

  public var json: JSON.Members { ["value": .number(Double(value))] }

  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    "\(value)  " + style.shortened(style.shown(input), after: 16)
  }
}
