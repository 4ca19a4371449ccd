/// The tokens `<0x00>` to `<0xFF>`, with which SentencePiece's models write characters that are no tokens.
struct ByteTokens: Sendable {
  private let tokens: [Int32]

  /// - Returns: `nil` if one of them is not in the vocabulary
  init?(_ vocabulary: Vocabulary) {
    let tokens = (0..<256).compactMap { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return vocabulary.id(of: "<0x\(digits.count < 2 ? "0" : "")\(digits)>")
    }
    guard tokens.count == 256 else { return nil }
    self.tokens = tokens
  }

  /// The tokens of bytes.
  func ids(_ bytes: ArraySlice<UInt8>) -> [Int32] { bytes.map { tokens[Int($0)] } }

  /// Writes the bytes of unknown tokens in their place.
  func replacing(_ unknown: Int32, in list: ArraySlice<ModelToken>, _ text: [UInt8]) -> ArraySlice<ModelToken> {
    ArraySlice(
      list.flatMap { token -> [ModelToken] in
        guard token.id == unknown else { return [token] }
        return text[token.range].map { ModelToken(id: tokens[Int($0)], range: token.range) }
      })
  }
}
