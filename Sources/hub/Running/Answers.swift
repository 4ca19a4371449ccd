import Dovetail
import HubManifest

/// How `hub run` shows its answers.
protocol AnswerFormat {
  /// The text for one answer, without the last line break.
  func text(_ question: Question, _ answer: Result<Prediction, Failure>) -> String
}

/// One JSON object a line, with logits.
struct JSONAnswers: AnswerFormat {
  func text(_ question: Question, _ answer: Result<Prediction, Failure>) -> String {
    var line: JSON.Members = [:]
    line["id"] = question.id
    switch answer {
    case .success(.classification(let classification)):
      line["label"] = .string(classification.label)
      line["probability"] = .number(classification.probability)
      line["labels"] = .array(classification.labels.map(JSON.string))
      line["logits"] = Self.numbers(classification.logits)
    case .success(.tagging(let words)):
      line["words"] = .array(words.map { .string($0.text) })
      line["tags"] = .array(words.map { $0.label.map(JSON.string) ?? .null })
      line["logits"] = .array(words.map { $0.logits.map(Self.numbers) ?? .null })
    case .success(.parsing(let words)):
      line["words"] = .array(words.map { .string($0.text) })
      line["heads"] = .array(words.map { $0.head.map(JSON.integer) ?? .null })
      line["relations"] = .array(words.map { $0.relation.map(JSON.string) ?? .null })
    case .failure(let failure):
      var error: JSON.Members = ["code": .string(failure.code.name), "message": .string(failure.message)]
      error["at"] = failure.subject.map(JSON.string)
      error["hint"] = failure.hint.map(JSON.string)
      line["error"] = .object(error)
    }
    return JSON.object(line).text()
  }

  private static func numbers(_ values: [Float]) -> JSON { .array(values.map { .number(Double($0)) }) }
}

/// For people: the label, its probability and the text; or each word above its tag.
struct ReadableAnswers: AnswerFormat {
  /// Columns of the terminal; `nil` where nothing needs to fit.
  let width: Int?

  func text(_ question: Question, _ answer: Result<Prediction, Failure>) -> String {
    switch answer {
    case .success(.classification(let classification)): line(classification, question)
    case .success(.tagging(let words)): table(words)
    case .success(.parsing(let words)): tree(words)
    case .failure(let failure): "error: \(Console.escaped(failure.message))\(failure.subject.map { " (\(Console.escaped($0)))" } ?? "")"
    }
  }

  private func line(_ answer: Classification, _ question: Question) -> String {
    let label = Self.padded(Console.escaped(answer.label), to: answer.labels.map { Console.escaped($0).count }.max() ?? 0)
    let percent = String(Int((answer.probability * 100).rounded()))
    let start = "\(label)  \(String(repeating: " ", count: 3 - percent.count))\(percent) %  "
    return start + Self.shortened(Self.shown(question), to: width.map { max(20, $0 - start.count) })
  }

  private static func shown(_ question: Question) -> String {
    switch question.input {
    case .success(.text(let text, let pair)): Console.escaped(pair.map { "\(text) | \($0)" } ?? text)
    case .success(.words(let words)): Console.escaped(words.joined(separator: " "))
    case .failure: ""
    }
  }

  /// Words over tags, in as many bands as the terminal needs.
  private func table(_ words: [TaggedWord]) -> String {
    var bands = "", upper = "", lower = ""
    for word in words {
      let shown = Console.escaped(word.text), tag = Console.escaped(word.label ?? "-")
      let column = max(shown.count, tag.count) + 2
      if let width, !upper.isEmpty, upper.count + column > width {
        bands += Self.trimmed(upper) + "\n" + Self.trimmed(lower) + "\n"
        (upper, lower) = ("", "")
      }
      upper += Self.padded(shown, to: column)
      lower += Self.padded(tag, to: column)
    }
    return bands + Self.trimmed(upper) + "\n" + Self.trimmed(lower) + "\n"
  }

  /// A line for each word, as in CoNLL-U files: its number, the word, the number of its head, the relation.
  private func tree(_ words: [ParsedWord]) -> String {
    let shown = words.map { Console.escaped($0.text) }, width = shown.map(\.count).max() ?? 0, digits = "\(words.count)".count
    return zip(words, shown).enumerated().map { index, item in
      let numbers = ["\(index + 1)", item.0.head.map { "\($0)" } ?? "-"].map { String(repeating: " ", count: max(0, digits - $0.count)) + $0 }
      return "\(numbers[0])  \(Self.padded(item.1, to: width))  \(numbers[1])  \(item.0.relation.map(Console.escaped) ?? "-")\n"
    }.joined()
  }

  private static func padded(_ text: String, to width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

  private static func shortened(_ text: String, to width: Int?) -> String {
    guard let width, text.count > width else { return text }
    return text.prefix(width - 1) + "…"
  }

  private static func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }
}
