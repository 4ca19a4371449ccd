public import HubAdapters
public import HubWords

/// What a tagging head says about the words of a text.
public struct Tagging: Answer {
  public static let kind = HeadAnswer.tokenLabel

  /// The words in the order of the text.
  public let words: [TaggedWord]

  /// A word's tag is read at its first piece.
  public init(_ question: AnsweredQuestion) {
    let spans = question.encodings[0].wordSpans, labels = question.head.labels
    words = question.input.words(spans).map { text, index in
      guard let index else { return TaggedWord(text: text, label: nil, probability: nil, logits: nil) }
      let row = question.logits(token: spans[index].tokens.lowerBound), best = row.largestIndex
      return TaggedWord(text: text, label: labels[best], probability: row.softmax[best], logits: row)
    }
  }

  public var json: JSON.Members {
    [
      "words": .array(words.map { .string($0.text) }),
      "tags": .array(words.map { $0.label.map(JSON.string) ?? .null }),
      "logits": .array(words.map { $0.logits.map(JSON.numbers) ?? .null }),
    ]
  }

  /// Words over tags, in as many bands as fit the width.
  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    var bands: [[(word: String, tag: String, width: Int)]] = [[]]
    for word in words {
      let shown = style.escaped(word.text), tag = style.escaped(word.label ?? "-")
      let width = max(style.width(of: shown), style.width(of: tag)) + 2
      let used = bands[bands.count - 1].reduce(0) { $0 + $1.width }
      if let limit = style.width, used > 0, used + width > limit { bands.append([]) }
      bands[bands.count - 1].append((shown, tag, width))
    }
    return bands.map { band in
      [band.map { ($0.word, $0.width) }, band.map { ($0.tag, $0.width) }].map { row in
        style.trimmed(row.map { style.padded($0.0, to: $0.1) }.joined()) + "\n"
      }.joined()
    }.joined()
  }
}

/// What a tagging head says about a word.
public struct TaggedWord: Sendable {
  /// The word as it stands in the text.
  public let text: String
  /// The tag; `nil` if the text was cut off before the word.
  public let label: String?
  /// The softmax of the tag's logit; `nil` where ``label`` is.
  public let probability: Double?
  /// One logit for each tag, of the word's first token; `nil` where ``label`` is.
  public let logits: [Float]?
}
