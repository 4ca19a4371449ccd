/// The tokens `<0x00>` to `<0xFF>`, with which SentencePiece's models write characters that are no tokens.
struct ByteTokens: Sendable {
  private let tokens: [Int32?]

  init(_ vocabulary: Vocabulary) {
    tokens = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return vocabulary.id(of: "<0x\(digits.count < 2 ? "0" : "")\(digits)>")
    }
  }

  /// The tokens of bytes; `nil` if one of these is not in the vocabulary.
  func ids(_ bytes: ArraySlice<UInt8>) -> [Int32]? {
    let ids = bytes.compactMap { tokens[Int($0)] }
    return ids.count == bytes.count ? ids : nil
  }

  /// Writes the bytes of unknown tokens in their place.
  func replacing(_ unknown: Int32, in list: ArraySlice<ModelToken>, _ text: [UInt8]) -> ArraySlice<ModelToken> {
    ArraySlice(
      list.flatMap { token -> [ModelToken] in
        guard token.id == unknown, let ids = ids(text[token.range]) else { return [token] }
        return ids.map { ModelToken(id: $0, range: token.range) }
      })
  }
}
