import Foundation
public import HubAdapters
public import HubWords

/// What a head with independent labels says about a text.
public struct MultiLabel: Answer {
  public static let kind = HeadAnswer.labels

  /// The labels of the head, in the order of its outputs.
  public let labels: [String]
  /// The sigmoid of each logit.
  public let probabilities: [Double]
  /// One logit for each label.
  public let logits: [Float]

  public init(_ question: AnsweredQuestion) {
    labels = question.head.labels
    logits = question.rows[0]
    probabilities = logits.map { 1 / (1 + exp(-Double($0))) }
  }

  /// The labels that are more likely than not.
  public var chosen: [String] { zip(labels, probabilities).filter { $0.1 > 0.5 }.map(\.0) }

  public var json: JSON.Members {
    [
      "chosen": .array(chosen.map(JSON.string)), "labels": .array(labels.map(JSON.string)),
      "probabilities": .array(probabilities.map(JSON.number)), "logits": .numbers(logits),
    ]
  }

  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    let chosen = zip(labels, probabilities).filter { $0.1 > 0.5 }
    let shown = chosen.map { "\(style.escaped($0)) \(style.percent($1))" }.joined(separator: ", ")
    return (chosen.isEmpty ? "none of \(labels.count) labels" : shown) + "  " + style.shown(input)
  }
}
