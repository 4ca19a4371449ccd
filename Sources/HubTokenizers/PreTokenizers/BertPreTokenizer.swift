/// Words are what stands between white space; each punctuation mark is a word of its own.
struct BertPreTokenizer: PreTokenizer {
  var separatesPunctuation: Bool { true }

  func split(_ text: inout AlignedText) -> [Range<Int>] {
    let bytes = text.bytes
    var words: [Range<Int>] = []
    words.reserveCapacity(bytes.count / 5)
    var start = 0
    var index = 0
    while index < bytes.count {
      let (role, end) = Self.role(of: bytes, at: index)
      if role != .letter {
        if start < index { words.append(start..<index) }
        if role == .punctuation { words.append(index..<end) }
        start = end
      }
      index = end
    }
    if start < bytes.count { words.append(start..<bytes.count) }
    return words
  }

  private enum Role { case letter, space, punctuation }

  private static func role(of bytes: [UInt8], at index: Int) -> (Role, end: Int) {
    let byte = bytes[index]
    if byte < 0x80 { return (asciiRole(byte), index + 1) }
    let (scalar, end) = bytes.scalar(at: index)
    return (scalar.isSpace ? .space : scalar.isBertPunctuation ? .punctuation : .letter, end)
  }

  private static func asciiRole(_ byte: UInt8) -> Role {
    switch byte {
    case 0x61...0x7A, 0x30...0x39, 0x41...0x5A: .letter
    case 0x20, 0x09...0x0D: .space
    case 0x21...0x7E: .punctuation
    default: .letter
    }
  }
}
