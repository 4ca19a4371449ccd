public import HubWords

/// What a composed model says of one input: the answer of each of its heads, one unless branches have heads of their
/// own.
public struct Prediction: Sendable {
  /// In the order of the composition.
  public let answers: [(head: String, answer: any Answer)]

  /// Whether it comes from several heads.
  public var isSeveral: Bool { answers.count > 1 }

  /// The answer of the first head, if it is of this kind.
  public func first<Kind: Answer>(_ kind: Kind.Type = Kind.self) -> Kind? { answers.first?.answer as? Kind }

  /// What `--json` prints: the answer's members, or with several heads an array `answers` that names the head of each.
  public var json: JSON.Members {
    guard isSeveral else { return answers.first?.answer.json ?? [:] }
    return [
      "answers": .array(answers.map { .object((["head": .string($0.head)] as JSON.Members).with($0.answer.json)) })
    ]
  }

  /// What a person reads.
  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    answers.map { head, answer in
      (isSeveral ? "\(style.escaped(head)): " : "") + answer.text(for: input, in: style)
    }.joined(separator: "\n")
  }
}

extension Failure {
  /// What stands in the place of an answer that cannot be given.
  public var json: JSON.Members {
    var error: JSON.Members = ["code": .string(code.name), "message": .string(message)]
    error["at"] = subject.map(JSON.string)
    error["hint"] = hint.map(JSON.string)
    return ["error": .object(error)]
  }
}
