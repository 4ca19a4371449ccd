import HubWords

/// Writes one text for another in each part.
struct ReplaceDecoder: TokenDecoder {
  let replacement: Replace

  func parts(_ tokens: [String]) -> [String] {
    tokens.map { token in
      let bytes = Array(token.utf8)
      return String(
        decoding: replacement.normalize(AlignedText(original: bytes[...], firstScalar: 0)).bytes, as: UTF8.self)
    }
  }
}

extension ReplaceDecoder {
  /// Reads `decoder` of tokenizer.json.
  init(_ json: JSONObject) throws { self.init(replacement: try Replace(json)) }
}
