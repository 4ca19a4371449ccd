import HubManifest

/// Cuts normalised text into words, the units that a model cuts into tokens.
protocol PreTokenizer: Sendable {
  /// The words as ranges of bytes, in ascending order, none empty. May rewrite the text first.
  func split(_ text: inout AlignedText) -> [Range<Int>]
}

extension TokenizerFile {
  /// The pre-tokeniser that `pre_tokenizer` in tokenizer.json describes.
  static func preTokenizer(_ json: JSONObject) throws -> any PreTokenizer {
    switch try json.string("type") {
    case "BertPreTokenizer": BertPreTokenizer()
    case let type: throw unsupported("pre-tokeniser", type, in: json)
    }
  }
}

/// No pre-tokeniser: the text is one word.
struct WholeText: PreTokenizer {
  func split(_ text: inout AlignedText) -> [Range<Int>] { text.count > 0 ? [0..<text.count] : [] }
}
