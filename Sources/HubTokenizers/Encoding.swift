/// A text, a pair of texts or the words of a sentence as tokens: one element per token in each array.
public struct Encoding: Hashable, Sendable {
  /// What a model is given.
  public internal(set) var ids: [Int32] = []
  /// What each token stands for, in Unicode scalars of the text (of the word, where words were given) that
  /// ``sequences`` names; `0..<0` for special tokens.
  public internal(set) var offsets: [Range<Int32>] = []
  /// Which segment each token belongs to, as the model was taught: usually 0, and 1 for the second text.
  public internal(set) var typeIDs: [Int32] = []
  /// 0 for tokens of the first text, 1 for those of the second, `nil` for special tokens.
  public internal(set) var sequences: [Int8?] = []
  /// The index of the word that each token is a part of, counted in its text; `nil` for special tokens. Words are
  /// those given, or those the tokenizer found.
  public internal(set) var wordIDs: [Int32?] = []
  /// Whether the tokenizer put the token there; a special token that stands in the text itself is not one of these.
  public internal(set) var specialMask: [Bool] = []

  public init() {}

  /// The number of tokens, special ones included.
  public var count: Int { ids.count }

  mutating func appendSpecial(_ id: Int32, typeID: Int32) {
    ids.append(id)
    offsets.append(0..<0)
    typeIDs.append(typeID)
    sequences.append(nil)
    wordIDs.append(nil)
    specialMask.append(true)
  }

  mutating func append(_ tokens: TokenSequence, sequence: Int8, typeID: Int32) {
    ids += tokens.ids
    offsets += tokens.offsets
    typeIDs += repeatElement(typeID, count: tokens.count)
    sequences += repeatElement(Optional(sequence), count: tokens.count)
    wordIDs += tokens.words.lazy.map(Optional.some)
    specialMask += repeatElement(false, count: tokens.count)
  }
}

/// The tokens of one text, before special tokens are put around them.
struct TokenSequence: Sendable {
  private(set) var ids: [Int32] = []
  private(set) var offsets: [Range<Int32>] = []
  private(set) var words: [Int32] = []

  var count: Int { ids.count }

  mutating func append(_ id: Int32, offsets range: Range<Int32>, word: Int) {
    ids.append(id)
    offsets.append(range)
    words.append(Int32(truncatingIfNeeded: word))
  }

  subscript(range: Range<Int>) -> TokenSequence {
    var part = TokenSequence()
    part.ids = Array(ids[range])
    part.offsets = Array(offsets[range])
    part.words = Array(words[range])
    return part
  }

  func prefix(_ count: Int) -> TokenSequence { count < self.count ? self[0..<count] : self }
}
