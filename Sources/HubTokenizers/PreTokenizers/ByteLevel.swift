import HubWords

/// Words as GPT-2 and RoBERTa have them, in an alphabet of bytes: each byte of a text is written as one printable
/// character, so that 256 characters and what merges of them make cover every text. A space belongs to the word after
/// it.
struct ByteLevel: PreTokenizer {
  /// Puts a space before text that begins with none.
  var addsPrefixSpace = true
  /// Cuts words; without, a text is one word.
  var cutsWords = true

  var forWords: any PreTokenizer { ByteLevel(addsPrefixSpace: true, cutsWords: cutsWords) }

  func split(_ text: inout AlignedText) -> [Range<Int>] {
    var written = AlignedText(minimumCapacity: text.count + text.count / 4)
    let bytes = text.bytes
    if addsPrefixSpace, let first = bytes.first, first != UInt8(ascii: " ") {
      written.append(ByteAlphabet.characters[0x20], from: text.source(of: 0..<1))
    }
    var words: [Range<Int>] = []
    var (start, index) = (0, 0)
    while index < bytes.count {
      // The space that was put before is a part of the first word.
      let end = cutsWords ? Self.end(ofWordAt: index, bytes, isBehindSpace: start < written.count) : bytes.count
      for place in index..<end { written.append(ByteAlphabet.characters[Int(bytes[place])], from: text.sources[place]) }
      words.append(start..<written.count)
      (start, index) = (written.count, end)
    }
    text = written
    return words
  }
}

extension ByteLevel {
  /// Reads `pre_tokenizer` of tokenizer.json.
  init(_ json: JSONObject) throws {
    self.init(
      addsPrefixSpace: try json.optionalBool("add_prefix_space") ?? true,
      cutsWords: try json.optionalBool("use_regex") ?? true)
  }

  /// Where the first match ends of GPT-2's
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, which matches at every place.
  ///
  /// - Parameter isBehindSpace: whether a space that is not among the bytes stands before them.
  private static func end(ofWordAt start: Int, _ bytes: [UInt8], isBehindSpace: Bool) -> Int {
    if !isBehindSpace, let end = endOfContraction(start, bytes) { return end }
    let first = kind(bytes, start)
    if first.kind != .space { return endOfRun(first.kind, first.end, bytes) }
    if isBehindSpace { return endOfSpaces(start, bytes, isBehindSpace: true) }
    guard bytes[start] == UInt8(ascii: " "), first.end < bytes.count else {
      return endOfSpaces(start, bytes, isBehindSpace: false)
    }
    let second = kind(bytes, first.end)
    return second.kind == .space
      ? endOfSpaces(start, bytes, isBehindSpace: false) : endOfRun(second.kind, second.end, bytes)
  }

  private enum Kind { case letter, number, space, other }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.utf8) }

  private static func endOfContraction(_ start: Int, _ bytes: [UInt8]) -> Int? {
    guard bytes[start] == UInt8(ascii: "'") else { return nil }
    return contractions.first { bytes[start...].starts(with: $0) }.map { start + $0.count }
  }

  private static func endOfRun(_ kind: Kind, _ start: Int, _ bytes: [UInt8]) -> Int {
    var end = start
    while end < bytes.count {
      let next = Self.kind(bytes, end)
      guard next.kind == kind else { break }
      end = next.end
    }
    return end
  }

  /// `\s+(?!\S)|\s+`: all white space at the end of a text; else all but the last, which the next word takes or is.
  private static func endOfSpaces(_ start: Int, _ bytes: [UInt8], isBehindSpace: Bool) -> Int {
    let end = endOfRun(.space, start, bytes)
    guard end < bytes.count else { return end }
    let last = bytes.scalarStart(before: end)
    return last > start || isBehindSpace ? last : end
  }

  private static func kind(_ bytes: [UInt8], _ index: Int) -> (kind: Kind, end: Int) {
    switch bytes[index] {
    case 0x61...0x7A, 0x41...0x5A: return (.letter, index + 1)
    case 0x30...0x39: return (.number, index + 1)
    case 0x20, 0x09...0x0D: return (.space, index + 1)
    case ..<0x80: return (.other, index + 1)
    default: break
    }
    let (scalar, end) = bytes.scalar(at: index)
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return (.letter, end)
    case .decimalNumber, .letterNumber, .otherNumber: return (.number, end)
    default: return (scalar.isSpace ? .space : .other, end)
    }
  }
}

/// How bytes are written as printable characters: those of Latin-1 that can be seen stand for themselves, the others
/// for U+0100 and on.
enum ByteAlphabet {
  static let characters: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      if isPrintable(byte) { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? " "
    }
  }()

  private static let bytes = Dictionary(uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  private static func isPrintable(_ byte: Int) -> Bool {
    (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
  }

  /// The bytes that a token stands for, or those of its text if it has other characters, as added tokens may.
  static func bytes(of token: String) -> [UInt8] {
    let bytes = token.unicodeScalars.map { Self.bytes[$0] }
    return bytes.contains(nil) ? Array(token.utf8) : bytes.compactMap(\.self)
  }

  /// Whether a character of a token is white space, written as it is or in the alphabet.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == characters[0x20] || scalar.isSpace }
}
