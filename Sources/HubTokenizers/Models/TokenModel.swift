import HubWords

/// Cuts words into tokens of a vocabulary.
protocol TokenModel: Sendable {
  var vocabulary: Vocabulary { get }
  /// The token for what the vocabulary does not cover.
  var unknownID: Int32? { get }
  /// Appends the tokens of the word at `range`, with the bytes that each stands for.
  func tokenize(_ text: [UInt8], _ range: Range<Int>, into tokens: inout [ModelToken])
}

/// A token and the bytes of normalised text that it stands for.
struct ModelToken: Hashable, Sendable {
  var id: Int32
  var range: Range<Int>
}

extension TokenizerFile {
  /// The model that `model` in tokenizer.json describes. Older files leave out its type.
  static func model(_ json: JSONObject) throws -> any TokenModel {
    switch try json.optionalString("type") ?? typeBySigns(json) {
    case "WordPiece": try WordPiece(json)
    case "BPE": try BPE(json)
    case "Unigram": try Unigram(json)
    case let type: throw unsupported("model", type, in: json)
    }
  }

  private static func typeBySigns(_ json: JSONObject) -> String {
    let signs = [("merges", "BPE"), ("max_input_chars_per_word", "WordPiece"), ("unk_id", "Unigram")]
    return signs.first { json.members[$0.0] != nil }?.1 ?? ""
  }

  /// Reads an object of tokens and ids.
  static func vocabulary(_ json: JSONObject) throws -> Vocabulary {
    var vocabulary = Vocabulary(minimumCapacity: json.members.entries.count)
    for entry in json.members.entries {
      guard let id = entry.value.integer else {
        throw Failure(.malformedVocabulary, "expected an id, found \(entry.value.kind)", at: json.path(to: entry.key))
      }
      try vocabulary.insert(entry.key.utf8, id: id)
    }
    return vocabulary
  }
}
