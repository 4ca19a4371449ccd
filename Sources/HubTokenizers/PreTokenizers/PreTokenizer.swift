import HubWords

/// Cuts normalised text into words, the units that a model cuts into tokens.
protocol PreTokenizer: Sendable {
  /// The words as ranges of bytes, in ascending order, none empty. May rewrite the text first.
  func split(_ text: inout AlignedText) -> [Range<Int>]
  /// The same for texts that are a word of a sentence each.
  var forWords: any PreTokenizer { get }
  /// Whether each punctuation mark is a word.
  var separatesPunctuation: Bool { get }
}

extension PreTokenizer {
  var forWords: any PreTokenizer { self }
  var separatesPunctuation: Bool { false }
}

extension TokenizerFile {
  /// The pre-tokeniser that `pre_tokenizer` in tokenizer.json describes.
  static func preTokenizer(_ json: JSONObject) throws -> any PreTokenizer {
    switch try json.string("type") {
    case "BertPreTokenizer": BertPreTokenizer()
    case "ByteLevel": try ByteLevel(json)
    case "Metaspace": try Metaspace(json)
    case "WhitespaceSplit": WhitespaceSplit()
    case "Split": try Split(json)
    case "Digits": try Split.digits(json)
    case "Punctuation": try Split.punctuation(json)
    case "Sequence": try PreTokenizerSequence(parts: differentParts(of: json).map(preTokenizer))
    case let type: throw unsupported("pre-tokeniser", type, in: json)
    }
  }
}

extension TokenizerFile {
  /// The parts of a sequence. Those that write text again are each of a kind of their own: they make it longer each
  /// time.
  private static func differentParts(of json: JSONObject) throws -> [JSONObject] {
    let parts = try parts(of: json, "pretokenizers"), kinds = try parts.map { try $0.string("type") }
    let writing = kinds.filter { !["Split", "Digits", "Punctuation"].contains($0) }
    guard Set(writing).count == writing.count else {
      throw unsupported("sequence of", kinds.joined(separator: ", "), in: json)
    }
    return parts
  }
}

/// One after the other: each cuts further what the one before has cut.
struct PreTokenizerSequence: PreTokenizer {
  let parts: [any PreTokenizer]

  func split(_ text: inout AlignedText) -> [Range<Int>] {
    var words = WholeText().split(&text)
    for part in parts {
      var (cut, cutWords) = (AlignedText(minimumCapacity: text.count), [Range<Int>]())
      for word in words {
        var piece = text[word]
        cutWords += part.split(&piece).map { $0.lowerBound + cut.count..<$0.upperBound + cut.count }
        cut.append(piece)
      }
      (text, words) = (cut, cutWords)
    }
    return words
  }

  var forWords: any PreTokenizer { PreTokenizerSequence(parts: parts.map(\.forWords)) }
  var separatesPunctuation: Bool { parts.contains(where: \.separatesPunctuation) }
}

/// No pre-tokeniser: the text is one word.
struct WholeText: PreTokenizer {
  func split(_ text: inout AlignedText) -> [Range<Int>] { text.count > 0 ? [0..<text.count] : [] }
}
