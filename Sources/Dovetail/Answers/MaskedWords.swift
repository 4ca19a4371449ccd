public import HubAdapters
public import HubTokenizers
public import HubWords

/// What may stand at the masks of a text.
public struct MaskedWords: Answer {
  public static let kind = HeadAnswer.word

  /// One for each mask, in the order of the text.
  public let masks: [MaskedWord]

  public static func sequences(
    of input: TextInput, for head: any Head, by encoder: InputEncoder
  ) throws -> [Encoding] {
    if case .words = input { throw Failure(.wrongInput, "the head reads texts that are not split into words") }
    return [try encoder.sequence(of: input)]
  }

  public init(_ question: AnsweredQuestion) {
    let encoding = question.encodings[0], tokenizer = question.tokenizer
    masks = (0..<encoding.count).filter { encoding.ids[$0] == tokenizer.specialIDs.mask }.map { token in
      let row = question.logits(token: token), shares = row.softmax
      let best = row.indices.sorted { row[$0] > row[$1] }.prefix(5), range = encoding.offsets[token]
      return MaskedWord(
        scalars: Int(range.lowerBound)..<Int(range.upperBound),
        candidates: best.map { (tokenizer.decode([Int32($0)], skippingSpecialTokens: false), shares[$0]) })
    }
  }

  public var json: JSON.Members {
    [
      "masks": .array(
        masks.map { mask in
          [
            "start": .integer(mask.scalars.lowerBound), "end": .integer(mask.scalars.upperBound),
            "candidates": .array(
              mask.candidates.map { ["text": .string($0.text), "probability": .number($0.probability)] }),
          ]
        })
    ]
  }

  public func text(for input: TextInput, in style: AnswerStyle) -> String {
    guard !masks.isEmpty else { return "no mask in: \(style.shown(input))" }
    return masks.map { mask in
      let words = mask.candidates.map { "\(style.escaped($0.text)) \(style.percent($0.probability))" }
      return "\(mask.scalars.lowerBound): " + words.joined(separator: ", ")
    }.joined(separator: "\n")
  }
}

/// What may stand at a mask.
public struct MaskedWord: Sendable {
  /// Unicode scalars of the text where the mask stands.
  public let scalars: Range<Int>
  /// The likeliest tokens, the best first, as text.
  public let candidates: [(text: String, probability: Double)]
}
