public import HubAdapters
public import HubWords

/// What a parser says about the words of a text.
public struct Parse: Answer {
  public static let kind = HeadAnswer.tree

  /// The words in the order of the text.
  public let words: [ParsedWord]

  /// A tree of the words that have tokens.
  public init(_ question: AnsweredQuestion) {
    let spans = question.encodings[0].wordSpans, words = question.input.words(spans)
    let tree = Dependency.tree(question.rows, words: spans.count, relations: question.head.labels)
    // Where each of the tree's words stands among all.
    let places = words.indices.filter { words[$0].span != nil }
    self.words = words.map { text, index in
      guard let index else { return ParsedWord(text: text, head: nil, relation: nil) }
      let head = tree[index].head
      return ParsedWord(text: text, head: head == 0 ? 0 : places[head - 1] + 1, relation: tree[index].relation)
    }
  }

  public var json: JSON.Members {
    [
      "words": .array(words.map { .string($0.text) }),
      "heads": .array(words.map { $0.head.map(JSON.integer) ?? .null }),
      "relations": .array(words.map { $0.relation.map(JSON.string) ?? .null }),
    ]
  }

  /// A line for each word, as in CoNLL-U files: its number, the word, the number of its head, the relation.
  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    let shown = words.map { style.escaped($0.text) }, digits = "\(words.count)".count
    let width = shown.map { style.width(of: $0) }.max() ?? 0
    func number(_ text: String) -> String { String(repeating: " ", count: max(0, digits - text.count)) + text }
    return words.indices.map { index in
      let head = number(words[index].head.map { "\($0)" } ?? "-")
      let relation = words[index].relation.map { style.escaped($0) } ?? "-"
      return "\(number("\(index + 1)"))  \(style.padded(shown[index], to: width))  \(head)  \(relation)\n"
    }.joined()
  }
}

/// What a parser says about a word.
public struct ParsedWord: Hashable, Sendable {
  /// The word as it stands in the text.
  public let text: String
  /// The number of the word that it depends on, counted from 1, and 0 for the root's; `nil` if the text was cut off
  /// before the word.
  public let head: Int?
  /// How it depends on that word, such as `nsubj`; `nil` where ``head`` is.
  public let relation: String?
}
