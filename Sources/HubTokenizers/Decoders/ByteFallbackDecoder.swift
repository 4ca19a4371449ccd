/// Puts together the bytes of tokens such as `<0xE4>`, which SentencePiece writes for characters that it does not know.
/// Of a run of bytes that is not UTF-8, each is shown as U+FFFD.
struct ByteFallbackDecoder: TokenDecoder {
  func parts(_ tokens: [String]) -> [String] {
    var parts: [String] = [], run: [UInt8] = []
    func endRun() {
      if let text = String(validating: run, as: UTF8.self) {
        if !run.isEmpty { parts.append(text) }
      } else {
        parts += Array(repeating: "\u{FFFD}", count: run.count)
      }
      run = []
    }
    for token in tokens {
      if let byte = Self.byte(token) {
        run.append(byte)
      } else {
        endRun()
        parts.append(token)
      }
    }
    endRun()
    return parts
  }

  func bytes(of token: String, isFirst: Bool) -> [UInt8] { Self.byte(token).map { [$0] } ?? Array(token.utf8) }

  /// The byte of a token such as `<0xE4>`; `nil` for all others.
  static func byte(_ token: String) -> UInt8? {
    let text = token.utf8
    guard text.count == 6, token.hasPrefix("<0x"), token.hasSuffix(">") else { return nil }
    let digits = text.dropFirst(3).dropLast()
    guard digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
