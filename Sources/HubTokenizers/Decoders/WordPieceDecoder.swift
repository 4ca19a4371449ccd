import HubWords

/// Joins continuations to what they continue, and words with spaces.
struct WordPieceDecoder: TokenDecoder {
  var prefix = "##"
  /// Removes the spaces that English has not, such as before a full stop.
  var cleansUp = true

  func parts(_ tokens: [String]) -> [String] {
    let prefix = Array(prefix.utf8)
    return tokens.enumerated().map { index, token in
      var bytes = Array(token.utf8)
      if index > 0 {
        if bytes.starts(with: prefix) {
          bytes.removeFirst(prefix.count)
        } else {
          bytes.insert(UInt8(ascii: " "), at: 0)
        }
      }
      return String(decoding: cleansUp ? Self.cleanedUp(bytes) : bytes, as: UTF8.self)
    }
  }

  /// Token by token and one replacement after the other, as Hugging Face's decoder does it.
  private static let replacements = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.utf8), Array($1.utf8)) }

  private static func cleanedUp(_ token: [UInt8]) -> [UInt8] {
    guard token.contains(UInt8(ascii: " ")) else { return token }
    return replacements.reduce(token) { replacing($1.0, by: $1.1, in: $0) }
  }

  private static func replacing(_ old: [UInt8], by new: [UInt8], in text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      if text[index] == old[0], text[index...].starts(with: old) {
        result += new
        index += old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }
}

extension WordPieceDecoder {
  /// Reads `decoder` of tokenizer.json.
  init(_ json: JSONObject) throws {
    self.init(prefix: try json.optionalString("prefix") ?? "##", cleansUp: try json.optionalBool("cleanup") ?? true)
  }
}
