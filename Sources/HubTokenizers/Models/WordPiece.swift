import HubWords

/// The model of BERT: takes the longest token that a word begins with, then the longest continuation, and so on.
/// A word that cannot be covered so, or is too long, becomes the unknown token as a whole.
struct WordPiece: TokenModel {
  let vocabulary: Vocabulary
  private let unknown: Int32
  /// In Unicode scalars.
  private let longestWord: Int
  private let beginning: (state: UInt64, prefix: [UInt8])
  private let continuation: (state: UInt64, prefix: [UInt8])

  /// - Parameters:
  ///   - prefix: what the tokens that continue a word begin with.
  ///   - longestWord: how many Unicode scalars a word may have.
  /// - Throws: ``Failure`` with ``Failure/Code/malformedVocabulary`` if the unknown token is missing.
  init(vocabulary: Vocabulary, unknownToken: String = "[UNK]", prefix: String = "##", longestWord: Int = 100) throws {
    guard let unknown = vocabulary.id(of: unknownToken) else {
      throw Failure(.malformedVocabulary, "the unknown token \(unknownToken.debugDescription) is not in the vocabulary")
    }
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.longestWord = longestWord
    beginning = vocabulary.start([])
    continuation = vocabulary.start(Array(prefix.utf8))
  }

  /// Reads `model` of tokenizer.json.
  init(_ json: JSONObject) throws {
    let longestWord = try json.optionalInteger("max_input_chars_per_word") ?? 100
    guard (0...InputLimits.wordCharacters).contains(longestWord) else {
      throw Failure(
        .unexpectedJSON, "words of up to \(longestWord) characters are not supported",
        at: json.path(to: "max_input_chars_per_word"))
    }
    try self.init(
      vocabulary: try TokenizerFile.vocabulary(json.object("vocab")),
      unknownToken: try json.optionalString("unk_token") ?? "[UNK]",
      prefix: try json.optionalString("continuing_subword_prefix") ?? "##",
      longestWord: longestWord)
  }

  var unknownID: Int32? { unknown }

  func tokenize(_ text: [UInt8], _ range: Range<Int>, into tokens: inout [ModelToken]) {
    let kept = tokens.count
    guard isShortEnough(text, range) else { return tokens.append(ModelToken(id: unknown, range: range)) }
    var start = range.lowerBound
    while start < range.upperBound {
      let prefix = start == range.lowerBound ? beginning : continuation
      guard let (id, end) = vocabulary.longestToken(in: text, start..<range.upperBound, after: prefix) else {
        tokens.removeSubrange(kept...)
        return tokens.append(ModelToken(id: unknown, range: range))
      }
      tokens.append(ModelToken(id: id, range: start..<end))
      start = end
    }
  }

  private func isShortEnough(_ text: [UInt8], _ range: Range<Int>) -> Bool {
    range.count <= longestWord || text[range].count { !isContinuation($0) } <= longestWord
  }
}
