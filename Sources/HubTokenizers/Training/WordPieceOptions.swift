public import HubWords

/// How a vocabulary of word pieces is made.
public struct WordPieceOptions: Hashable, Sendable {
  /// Pieces, special tokens included.
  public var vocabularySize: Int
  /// Whether texts are lower-cased.
  public var lowercases = false
  /// Whether accents, and other non-spacing marks, are dropped.
  public var stripsAccents = false
  /// How often a pair of pieces occurs, at least, to become one; counted after balancing.
  public var minimumFrequency = 2
  /// How many different characters there may be; all if `nil`. Of more, the rarest are left out, and words with them
  /// are unknown.
  public var alphabetLimit: Int?
  /// The power *a* that the shares of files are raised to, from 0 (all files weigh the same) to 1 (each word counts
  /// once): a file with the share *q* of all words weighs as much as one with the share *p* ∝ *q*ᵃ, as in the training
  /// of XLM-R (Conneau et al. 2020, <https://arxiv.org/abs/1911.02116>, section 3.1). The weights of all words sum to
  /// their number.
  public var balance = 1.0
  /// Tokens of a text, special ones included, that the model will take; the files say so to `transformers`.
  public var maximumLength = 512
  /// Characters of a word, at most; longer ones are not learned from, and are unknown. BERT's is 100; languages that
  /// write without spaces, such as Thai, want more.
  public var longestWord = 100

  public init(vocabularySize: Int) { self.vocabularySize = vocabularySize }

  var normalizer: BertNormalizer { BertNormalizer(stripsAccents: stripsAccents, lowercases: lowercases) }

  /// - Throws: ``Failure`` with ``Failure/Code/unsupportedTraining`` for a value out of range.
  func check() throws {
    try check(vocabularySize, in: 1...InputLimits.tokenIDs, "pieces of the vocabulary")
    try check(minimumFrequency, in: 1...Int(Int32.max), "times that a pair occurs")
    if let alphabetLimit { try check(alphabetLimit, in: 1...Unicode.Scalar.count, "characters of the alphabet") }
    try check(maximumLength, in: 3...1 << 20, "tokens of a text")
    try check(longestWord, in: 1...InputLimits.wordCharacters, "characters of a word")
    guard (0...1).contains(balance) else {
      throw Failure(.unsupportedTraining, "the power of the shares is \(balance), and must be between 0 and 1")
    }
  }

  private func check(_ value: Int, in range: ClosedRange<Int>, _ what: String) throws {
    guard range.contains(value) else {
      throw Failure(
        .unsupportedTraining, "\(value) \(what): it must be between \(range.lowerBound) and \(range.upperBound)")
    }
  }
}

extension Unicode.Scalar {
  /// How many there are.
  fileprivate static var count: Int { 0x110000 - 0x800 }
}

extension Failure.Code {
  /// A vocabulary is asked for that cannot be made: an option out of range, or no room for its characters.
  public static let unsupportedTraining = Self("tokenizer/training", .usage)
  /// A text to make a vocabulary of is empty, is no UTF-8, or has more different words than are counted.
  public static let malformedText = Self("tokenizer/training-text", .badData)
}
