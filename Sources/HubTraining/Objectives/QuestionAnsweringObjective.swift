import HubTokenizers
public import HubAdapters
public import HubModels
public import HubWords

/// Where the answer to a question stands in a text. Long texts are cut into windows; where a window does not hold the
/// answer, the first token stands for there being none (Devlin et al. 2019).
public enum QuestionAnsweringObjective: Objective {
  public static let task = "question_answering"
  public static let columns = (required: ["question", "context", "answers"], optional: [String]())
  public static let answer = HeadAnswer.span

  public static func head(
    labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int
  ) throws -> JSON.Members {
    ["head_type": "question_answering", "num_labels": 2, "layers": 1, "activation_function": "tanh"]
  }

  /// - Throws: ``Failure``: an answer that does not stand where it says.
  public static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample] {
    let context = try row.text("context"), scalars = Array(context.unicodeScalars)
    guard let answers = try row.value("answers").array else { throw row.failure("answers is not an array") }
    let first = try answers.first.map { answer -> Range<Int> in
      guard let text = answer["text"]?.string, let start = answer["answer_start"]?.integer else {
        throw row.failure("an answer needs a text and an answer_start")
      }
      let range = start..<max(start, start) + text.unicodeScalars.count
      guard start >= 0, range.upperBound <= scalars.count, Array(text.unicodeScalars) == Array(scalars[range]) else {
        throw row.failure(
          "the answer \(text.debugDescription) is not at position \(start)",
          hint: "answer_start counts Unicode scalars of the context, from 0")
      }
      return range
    }
    let length = encoder.maximumLength
    let windows = try encoder.tokenizer.windows(
      row.text("question"), pair: context, maxLength: length, overlap: min(128, length / 4))
    return windows.map { window in
      let (start, end) = first.flatMap { tokens(of: $0, in: window) } ?? (0, 0)
      return TrainingExample([window.sequence], .span(start: start, end: end))
    }
  }

  /// The tokens of a range of the text; `nil` if the window does not hold all of it.
  private static func tokens(of range: Range<Int>, in window: Encoding) -> (Int, Int)? {
    let text = (0..<window.count).filter { window.sequences[$0] == 1 && !window.specialMask[$0] }
    let first = text.first { Int(window.offsets[$0].upperBound) > range.lowerBound }
    let last = text.last { Int(window.offsets[$0].lowerBound) < range.upperBound }
    guard let first, let last, first <= last, Int(window.offsets[first].lowerBound) <= range.lowerBound,
      Int(window.offsets[last].upperBound) >= range.upperBound
    else { return nil }
    return (first, last)
  }
}
