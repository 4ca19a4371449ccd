import Dovetail
import HubWords

/// One JSON object a line, with logits.
struct JSONAnswers: AnswerFormat {
  func text(_ question: Question, _ answer: Result<Prediction, Failure>) -> String {
    var line: JSON.Members = [:]
    line["id"] = question.id
    switch answer {
    case .success(let prediction): line = line.with(Self.members(prediction))
    case .failure(let failure):
      var error: JSON.Members = ["code": .string(failure.code.name), "message": .string(failure.message)]
      error["at"] = failure.subject.map(JSON.string)
      error["hint"] = failure.hint.map(JSON.string)
      line["error"] = .object(error)
    }
    return JSON.object(line).text()
  }

  private static func members(_ prediction: Prediction) -> JSON.Members {
    switch prediction {
    case .classification(let answer):
      [
        "label": .string(answer.label), "probability": .number(answer.probability),
        "labels": .array(answer.labels.map(JSON.string)),
        "logits": numbers(answer.logits),
      ]
    case .multiLabel(let answer):
      [
        "chosen": .array(answer.chosen.map(JSON.string)), "labels": .array(answer.labels.map(JSON.string)),
        "probabilities": .array(answer.probabilities.map(JSON.number)), "logits": numbers(answer.logits),
      ]
    case .regression(let value): ["value": .number(Double(value))]
    case .choice(let answer):
      [
        "choice": .integer(answer.best), "probabilities": .array(answer.probabilities.map(JSON.number)),
        "logits": numbers(answer.logits),
      ]
    case .tagging(let words):
      [
        "words": .array(words.map { .string($0.text) }),
        "tags": .array(words.map { $0.label.map(JSON.string) ?? .null }),
        "logits": .array(words.map { $0.logits.map(numbers) ?? .null }),
      ]
    case .spans(let answer):
      [
        "answers": .array(
          answer.spans.map { span in
            [
              "text": .string(span.text), "start": .integer(span.scalars.lowerBound),
              "end": .integer(span.scalars.upperBound),
              "score": .number(Double(span.score)), "probability": .number(span.probability),
            ]
          }),
        "scoreOfNone": .number(Double(answer.scoreOfNone)), "probabilityOfNone": .number(answer.probabilityOfNone),
      ]
    case .words(let masks):
      [
        "masks": .array(
          masks.map { mask in
            [
              "start": .integer(mask.scalars.lowerBound), "end": .integer(mask.scalars.upperBound),
              "candidates": .array(
                mask.candidates.map { ["text": .string($0.text), "probability": .number($0.probability)] }),
            ]
          })
      ]
    case .parsing(let words):
      [
        "words": .array(words.map { .string($0.text) }),
        "heads": .array(words.map { $0.head.map(JSON.integer) ?? .null }),
        "relations": .array(words.map { $0.relation.map(JSON.string) ?? .null }),
      ]
    case .several(let answers):
      [
        "answers": .array(
          answers.map { .object((["head": .string($0.head)] as JSON.Members).with(members($0.answer))) })
      ]
    }
  }

  private static func numbers(_ values: [Float]) -> JSON { .array(values.map { .number(Double($0)) }) }
}
