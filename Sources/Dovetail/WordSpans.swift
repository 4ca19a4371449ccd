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
      return spans.enumerated().map { (String(scalars: texts[$1.sequence][$1.scalars]), $0) }
    case .choices:
      return []
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
