import Dovetail
import HubWords

/// For people: labels, their probabilities and the text; each word above its tag; what was looked for, and where it is.
struct ReadableAnswers: AnswerFormat {
  /// Columns of the terminal; `nil` where nothing needs to fit.
  let width: Int?

  func text(_ question: Question, _ answer: Result<Prediction, Failure>) -> String {
    switch answer {
    case .success(let prediction): readable(prediction, question)
    case .failure(let failure):
      "error: \(Console.escaped(failure.message))" + (failure.subject.map { " (\(Console.escaped($0)))" } ?? "")
        + (failure.hint.map { "; \(Console.escaped($0))" } ?? "")
    }
  }

  private func readable(_ prediction: Prediction, _ question: Question) -> String {
    switch prediction {
    case .classification(let answer):
      line(
        Self.padded(Console.escaped(answer.label), to: answer.labels.map { Console.escaped($0).count }.max() ?? 0),
        answer.probability, question)
    case .multiLabel(let answer):
      zip(answer.labels, answer.probabilities).filter { $0.1 > 0.5 }.map {
        "\(Console.escaped($0)) \(Self.percent($1)) %"
      }.joined(separator: ", ")
        + (answer.chosen.isEmpty ? "none of \(answer.labels.count) labels" : "") + "  " + Self.shown(question)
    case .regression(let value): "\(value)  " + Self.shortened(Self.shown(question), to: width.map { max(20, $0 - 16) })
    case .choice(let answer): line("choice \(answer.best)", answer.probabilities[answer.best], question)
    case .tagging(let words): table(words)
    case .spans(let answer): spans(answer)
    case .words(let masks):
      masks.isEmpty ? "no mask in: \(Self.shown(question))" : masks.map(self.mask).joined(separator: "\n")
    case .parsing(let words): tree(words)
    case .several(let answers):
      answers.map { "\(Console.escaped($0.head)): " + readable($0.answer, question) }.joined(separator: "\n")
    }
  }

  private func mask(_ mask: MaskedWord) -> String {
    "\(mask.scalars.lowerBound): "
      + mask.candidates.map { "\(Console.escaped($0.text)) \(Self.percent($0.probability)) %" }.joined(separator: ", ")
  }

  private func spans(_ answer: Spans) -> String {
    let lines = answer.spans.map {
      "\(Self.percent($0.probability)) %  \($0.scalars.lowerBound)-\($0.scalars.upperBound)  \(Console.escaped($0.text))"
    }
    return (lines + ["\(Self.percent(answer.probabilityOfNone)) %  no answer"]).joined(separator: "\n") + "\n"
  }

  private static func percent(_ share: Double) -> String {
    let number = String(Int((share * 100).rounded()))
    return String(repeating: " ", count: max(0, 3 - number.count)) + number
  }

  private func line(_ label: String, _ probability: Double, _ question: Question) -> String {
    let start = "\(label)  \(Self.percent(probability)) %  "
    return start + Self.shortened(Self.shown(question), to: width.map { max(20, $0 - start.count) })
  }

  private static func shown(_ question: Question) -> String {
    switch question.input {
    case .success(.text(let text, let pair)): Console.escaped(pair.map { "\(text) | \($0)" } ?? text)
    case .success(.choices(let text, _)): Console.escaped(text)
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
    let shown = words.map { Console.escaped($0.text) }, width = shown.map(\.count).max() ?? 0,
      digits = "\(words.count)".count
    return zip(words, shown).enumerated().map { index, item in
      let numbers = ["\(index + 1)", item.0.head.map { "\($0)" } ?? "-"].map {
        String(repeating: " ", count: max(0, digits - $0.count)) + $0
      }
      return
        "\(numbers[0])  \(Self.padded(item.1, to: width))  \(numbers[1])  \(item.0.relation.map(Console.escaped) ?? "-")\n"
    }.joined()
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func shortened(_ text: String, to width: Int?) -> String {
    guard let width, text.count > width else { return text }
    return text.prefix(width - 1) + "…"
  }

  private static func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }
}
