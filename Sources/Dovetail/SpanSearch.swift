import HubTokenizers

/// Finds the likeliest answers of a question in the windows of a text, as the scripts for SQuAD do: the best spans of at
/// most thirty tokens, wherever they are, and the score of the first token for there being none (Devlin et al. 2019).
struct SpanSearch {
  private static let longest = 30, candidates = 20, listed = 5

  private let text: [Unicode.Scalar]
  private let windows: [Encoding]
  /// Which of two texts holds the answer.
  private let sequence: Int8

  init(_ question: Question) {
    windows = question.encodings
    guard case .text(let first, let second) = question.input else {
      (text, sequence) = ([], 0)
      return
    }
    text = Array((second ?? first).unicodeScalars)
    sequence = second == nil ? 0 : 1
  }

  /// - Parameter logits: of a token of a window, for beginning and ending there
  func spans(_ logits: (_ window: Int, _ token: Int) -> [Float]) -> Spans {
    var found: [(scalars: Range<Int>, score: Float)] = [], none = Float.infinity
    for (index, window) in windows.enumerated() {
      let tokens = (0..<window.count).filter { window.sequences[$0] == sequence && !window.specialMask[$0] }
      let rows = (0..<window.count).map { logits(index, $0) }
      if let first = rows.first { none = min(none, first[0] + first[1]) }
      let starts = tokens.sorted { rows[$0][0] > rows[$1][0] }.prefix(Self.candidates)
      let ends = tokens.sorted { rows[$0][1] > rows[$1][1] }.prefix(Self.candidates)
      for start in starts {
        for end in ends where end >= start && end - start < Self.longest {
          let scalars =
            Int(
              window.offsets[start].lowerBound)..<max(
              Int(window.offsets[start].lowerBound), Int(window.offsets[end].upperBound))
          found.append((trimmed(scalars.clamped(to: 0..<text.count)), rows[start][0] + rows[end][1]))
        }
      }
    }
    var seen: Set<Range<Int>> = []
    let best = found.sorted { $0.score > $1.score }.filter { seen.insert($0.scalars).inserted }.prefix(Self.listed)
    let shares = (best.map(\.score) + [none]).softmax
    return Spans(
      spans: best.enumerated().map { index, span in
        Spans.Span(
          text: String(scalars: text[span.scalars]), scalars: span.scalars, score: span.score,
          probability: shares[index])
      },
      scoreOfNone: none, probabilityOfNone: shares[shares.count - 1])
  }

  /// Without the white space around it, which tokens may hold.
  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    let inside = text[range].drop(while: \.properties.isWhitespace)
    let end = inside.lastIndex { !$0.properties.isWhitespace }.map { $0 + 1 } ?? inside.startIndex
    return text.whole(inside.startIndex..<end, within: inside.startIndex..<text.count)
  }
}
