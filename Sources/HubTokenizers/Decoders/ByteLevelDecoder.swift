/// Puts together the bytes that tokens of the alphabet of bytes stand for.
struct ByteLevelDecoder: TokenDecoder {
  func parts(_ tokens: [String]) -> [String] { [String(decoding: tokens.flatMap(ByteAlphabet.bytes), as: UTF8.self)] }

  func bytes(of token: String, isFirst: Bool) -> [UInt8] { ByteAlphabet.bytes(of: token) }
}
