import Foundation

/// One thing to ask a composed model about.
public enum TextInput: Hashable, Sendable {
  /// A text, or a pair of texts such as premise and hypothesis.
  case text(String, pair: String? = nil)
  /// A text that is already split into words.
  case words([String])
}

/// The answer of a head for one input.
public enum Prediction: Sendable {
  case classification(Classification)
  case tagging([TaggedWord])
  case parsing([ParsedWord])
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
}

/// What a tagging head says about a word.
public struct TaggedWord: Sendable {
  public let text: String
  /// The tag, read at the word's first piece; `nil` if the text was cut off before the word.
  public let label: String?
  public let probability: Double?
  public let logits: [Float]?
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
    enumerated().reduce((0, -Float.infinity)) { best, item in item.element > best.1 ? (item.offset, item.element) : best }.0
  }
}
