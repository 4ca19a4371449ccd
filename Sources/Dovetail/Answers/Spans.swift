public import HubAdapters
public import HubTokenizers
public import HubWords

/// Where the answer to a question stands in a text, the likeliest place first.
///
/// The best spans of at most thirty tokens in all windows, and the score of the first token for there being none, as
/// the scripts for SQuAD have it (Devlin et al. 2019).
public struct Spans: Answer {
  public static let kind = HeadAnswer.span

  /// A place in the text that may answer the question.
  public struct Span: Sendable {
    /// The answer, as it stands in the text.
    public let text: String
    /// Unicode scalars of the text that holds the answer.
    public let scalars: Range<Int>
    /// The sum of the logits of its first and its last token.
    public let score: Float
    /// The softmax over the spans that are listed, and over there being none.
    public let probability: Double
  }

  /// The likeliest places, best first.
  public let spans: [Span]
  /// The score of there being no answer: that of the first token, which stands for the whole text.
  public let scoreOfNone: Float
  /// How likely it is that the text holds no answer, as far as the head was trained to say so.
  public let probabilityOfNone: Double

  private static let windowLength = 384, longest = 30, candidates = 20, listed = 5

  /// How many tokens a window repeats of the one before.
  private static func overlap(_ length: Int) -> Int { min(128, length / 4) }

  /// Long texts are cut into windows.
  public static func sequences(
    of input: TextInput, for head: any Head, by encoder: InputEncoder
  ) throws -> [Encoding] {
    switch input {
    case .text(let question, let text?):
      let usual = min(windowLength, encoder.longest)
      // A long question leaves no room for a text in windows of the usual length.
      let asked = try encoder.tokenizer.encode(question, pair: "", maxLength: nil).count
      let length = encoder.limit ?? (usual - asked > overlap(usual) ? usual : encoder.longest)
      return try encoder.tokenizer.windows(question, pair: text, maxLength: length, overlap: overlap(length))
    case .words: throw Failure(.wrongInput, "the head reads texts that are not split into words")
    default: return [try encoder.sequence(of: input)]
    }
  }

  public init(_ question: AnsweredQuestion) {
    var text: [Unicode.Scalar] = [], sequence: Int8 = 0
    if case .text(let first, let second) = question.input {
      text = Array((second ?? first).unicodeScalars)
      sequence = second == nil ? 0 : 1
    }
    var found: [(scalars: Range<Int>, score: Float)] = [], none = Float.infinity
    for (index, window) in question.encodings.enumerated() {
      let rows = (0..<window.count).map { question.logits(ofSequence: index, token: $0) }
      if let first = rows.first { none = min(none, first[0] + first[1]) }
      found += Self.candidates(in: window, sequence, rows).map { (Self.trimmed($0, in: text), $1) }
    }
    var seen: Set<Range<Int>> = []
    let best = found.sorted { $0.score > $1.score }.filter { seen.insert($0.scalars).inserted }.prefix(Self.listed)
    let shares = (best.map(\.score) + [none]).softmax
    spans = best.enumerated().map { index, span in
      Span(
        text: String(scalars: text[span.scalars]), scalars: span.scalars, score: span.score, probability: shares[index])
    }
    (scoreOfNone, probabilityOfNone) = (none, shares[shares.count - 1])
  }

  /// The spans between the best beginnings and ends of a window, as scalars of the text.
  private static func candidates(
    in window: Encoding, _ sequence: Int8, _ rows: [[Float]]
  ) -> [(scalars: Range<Int>, score: Float)] {
    let tokens = (0..<window.count).filter { window.sequences[$0] == sequence && !window.specialMask[$0] }
    let starts = tokens.sorted { rows[$0][0] > rows[$1][0] }.prefix(candidates)
    let ends = tokens.sorted { rows[$0][1] > rows[$1][1] }.prefix(candidates)
    return starts.flatMap { start in
      ends.filter { $0 >= start && $0 - start < longest }.map { end in
        let first = Int(window.offsets[start].lowerBound)
        return (first..<max(first, Int(window.offsets[end].upperBound)), rows[start][0] + rows[end][1])
      }
    }
  }

  /// Without the white space around it, which tokens may hold.
  private static func trimmed(_ scalars: Range<Int>, in text: [Unicode.Scalar]) -> Range<Int> {
    let inside = text[scalars.clamped(to: 0..<text.count)].drop(while: \.properties.isWhitespace)
    let end = inside.lastIndex { !$0.properties.isWhitespace }.map { $0 + 1 } ?? inside.startIndex
    return text.whole(inside.startIndex..<end, within: inside.startIndex..<text.count)
  }

  public var json: JSON.Members {
    [
      "answers": .array(
        spans.map { span in
          [
            "text": .string(span.text), "start": .integer(span.scalars.lowerBound),
            "end": .integer(span.scalars.upperBound), "score": .number(Double(span.score)),
            "probability": .number(span.probability),
          ]
        }),
      "scoreOfNone": .number(Double(scoreOfNone)), "probabilityOfNone": .number(probabilityOfNone),
    ]
  }

  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    let lines = spans.map {
      "\(style.percent($0.probability))  \($0.scalars.lowerBound)-\($0.scalars.upperBound)  \(style.escaped($0.text))"
    }
    return (lines + ["\(style.percent(probabilityOfNone))  no answer"]).joined(separator: "\n") + "\n"
  }
}
