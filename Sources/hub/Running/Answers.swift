import Dovetail
import HubWords

/// How `hub run` shows its answers.
enum AnswerFormat {
  /// One object a line, with logits.
  case json
  /// For people: labels, their probabilities and the text; each word above its tag; what was looked for, and where it
  /// is.
  case readable(AnswerStyle)

  /// The text for one answer, without the last line break.
  func text(_ line: InputLine, _ answer: Result<Prediction, Failure>) -> String {
    switch self {
    case .json:
      var members: JSON.Members = [:]
      members["id"] = line.id
      switch answer {
      case .success(let prediction): members = members.with(prediction.json)
      case .failure(let failure): members = members.with(failure.json)
      }
      return Console.escapedJSON(JSON.object(members).text())
    case .readable(let style):
      do {
        return try answer.get().text(for: line.input.get(), in: style)
      } catch {
        return "error: \(Console.escaped(error.message))"
          + (error.subject.map { " (\(Console.escaped($0)))" } ?? "")
          + (error.hint.map { "; \(Console.escaped($0))" } ?? "")
      }
    }
  }
}
