import HubTokenizers

/// Where a word lies in its text and among the tokens.
struct WordSpan {
  let sequence: Int
  let word: Int
  var tokens: Range<Int>
  var scalars: Range<Int>
}

extension Encoding {
  /// The words that have a piece among the tokens, in order.
  var wordSpans: [WordSpan] {
    var spans: [WordSpan] = []
    for token in 0..<count {
      guard let word = wordIDs[token].map(Int.init), let sequence = sequences[token].map(Int.init) else { continue }
      let scalars = Int(offsets[token].lowerBound)..<Int(offsets[token].upperBound)
      if let last = spans.last, last.word == word, last.sequence == sequence {
        spans[spans.count - 1].tokens = last.tokens.lowerBound..<token + 1
        spans[spans.count - 1].scalars =
          min(last.scalars.lowerBound, scalars.lowerBound)..<max(last.scalars.upperBound, scalars.upperBound)
      } else {
        spans.append(WordSpan(sequence: sequence, word: word, tokens: token..<token + 1, scalars: scalars))
      }
    }
    return spans
  }
}

extension TextInput {
  /// All words, each with the number of its span; without one if the text was cut off before it.
  func words(_ spans: [WordSpan]) -> [(text: String, span: Int?)] {
    switch self {
    case .words(let words):
      let byWord = Dictionary(spans.enumerated().map { ($1.word, $0) }, uniquingKeysWith: { first, _ in first })
      return words.enumerated().map { ($1, byWord[$0]) }
    case .text(let text, let pair):
      let texts = [Array(text.unicodeScalars), Array((pair ?? "").unicodeScalars)]
      return spans.indices.map { index in
        let span = spans[index], text = texts[span.sequence]
        func bound(_ other: Int) -> Int? {
          spans.indices.contains(other) && spans[other].sequence == span.sequence
            ? (other < index ? spans[other].scalars.upperBound : spans[other].scalars.lowerBound) : nil
        }
        let room = (bound(index - 1) ?? 0)..<(bound(index + 1) ?? text.count)
        return (String(scalars: text[text.whole(span.scalars, within: room)]), index)
      }
    case .choices:
      return []
    }
  }
}

extension [Unicode.Scalar] {
  /// A range with the marks and joiners that belong to its characters. Tokenizers drop them, and places that were found
  /// in what is left of a text lack those at the end of a word: the vowels of Hindi and Thai, combining accents.
  ///
  /// - Parameter room: where the neighbours begin and end
  func whole(_ range: Range<Int>, within room: Range<Int>) -> Range<Int> {
    let room = room.clamped(to: 0..<count)
    guard !range.isEmpty, room.lowerBound <= range.lowerBound, range.upperBound <= room.upperBound else { return range }
    var (first, end) = (range.lowerBound, range.upperBound)
    while end < room.upperBound, self[end].isJoined { end += 1 }
    // A mark before the first letter joins nothing before it.
    while first > room.lowerBound, self[first - 1].isJoined { first -= 1 }
    if first > 0, !self[first - 1].properties.isWhitespace { first = range.lowerBound }
    return first..<end
  }
}

extension Unicode.Scalar {
  /// Whether it is part of the character before it, or cannot be seen.
  fileprivate var isJoined: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .format: true
    default: false
    }
  }
}

extension String {
  init(scalars: some Sequence<Unicode.Scalar>) {
    var view = UnicodeScalarView()
    view.append(contentsOf: scalars)
    self.init(view)
  }
}
