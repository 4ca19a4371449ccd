import Foundation

/// The answer of a head for one input.
public enum Prediction: Sendable {
  case classification(Classification)
  case multiLabel(MultiLabel)
  case regression(value: Float)
  case choice(Choice)
  case tagging([TaggedWord])
  case spans(Spans)
  case words([MaskedWord])
  case parsing([ParsedWord])
  /// One answer from each of several heads, in the order of the composition.
  case several([(head: String, answer: Prediction)])
}

/// What a classification head says about a text.
public struct Classification: Sendable {
  /// The label with the largest logit.
  public let label: String
  /// Its share, between 0 and 1.
  public let probability: Double
  /// All labels in the order of the logits.
  public let labels: [String]
  /// The softmax of the logits.
  public let probabilities: [Double]
  public let logits: [Float]

  init(labels: [String], logits: [Float]) {
    let best = logits.largestIndex
    self.labels = labels
    self.logits = logits
    probabilities = logits.softmax
    label = labels[best]
    probability = probabilities[best]
  }
}

/// What a head with independent labels says about a text.
public struct MultiLabel: Sendable {
  public let labels: [String]
  /// The sigmoid of each logit.
  public let probabilities: [Double]
  public let logits: [Float]

  init(labels: [String], logits: [Float]) {
    self.labels = labels
    self.logits = logits
    probabilities = logits.map { 1 / (1 + exp(-Double($0))) }
  }

  /// The labels that are more likely than not.
  public var chosen: [String] { zip(labels, probabilities).filter { $0.1 > 0.5 }.map(\.0) }
}

/// Which of several texts goes with another one.
public struct Choice: Sendable {
  /// The index of the text with the largest logit.
  public let best: Int
  /// The softmax of the logits.
  public let probabilities: [Double]
  public let logits: [Float]

  init(logits: [Float]) {
    best = logits.largestIndex
    probabilities = logits.softmax
    self.logits = logits
  }
}

/// What a tagging head says about a word.
public struct TaggedWord: Sendable {
  public let text: String
  /// The tag, read at the word's first piece; `nil` if the text was cut off before the word.
  public let label: String?
  public let probability: Double?
  public let logits: [Float]?
}

/// Where the answer to a question stands, the likeliest place first.
public struct Spans: Sendable {
  public struct Span: Sendable {
    public let text: String
    /// Unicode scalars of the text that holds the answer.
    public let scalars: Range<Int>
    /// The sum of the logits of its first and its last token.
    public let score: Float
    /// The softmax over the spans that are listed, and over there being none.
    public let probability: Double
  }

  public let spans: [Span]
  /// The score of there being no answer: that of the first token, which stands for the whole text.
  public let scoreOfNone: Float
  /// How likely it is that the text holds no answer, as far as the head was trained to say so.
  public let probabilityOfNone: Double
}

/// What may stand at a mask.
public struct MaskedWord: Sendable {
  /// Unicode scalars of the text where the mask stands.
  public let scalars: Range<Int>
  /// The likeliest tokens, the best first, as text.
  public let candidates: [(text: String, probability: Double)]
}

/// What a parser says about a word.
public struct ParsedWord: Hashable, Sendable {
  public let text: String
  /// The number of the word that it depends on, counted from 1, and 0 for the root's; `nil` if the text was cut off before
  /// the word.
  public let head: Int?
  public let relation: String?
}

extension Collection where Element == Float {
  /// The softmax, in Double.
  var softmax: [Double] {
    let most = self.max() ?? 0
    let powers = map { exp(Double($0 - most)) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// The index of the largest element, the first of several; 0 if there is none.
  var largestIndex: Int {
    enumerated().reduce((0, -Float.infinity)) { best, item in item.element > best.1 ? (item.offset, item.element) : best
    }.0
  }
}
