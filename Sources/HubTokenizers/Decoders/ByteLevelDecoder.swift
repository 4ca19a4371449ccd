/// Puts together the bytes that tokens of the alphabet of bytes stand for.
struct ByteLevelDecoder: TokenDecoder {
  func decode(_ tokens: [String]) -> String { String(decoding: tokens.flatMap(ByteAlphabet.bytes), as: UTF8.self) }
}
