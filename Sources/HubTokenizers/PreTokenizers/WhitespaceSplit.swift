/// Words are what stands between white space.
struct WhitespaceSplit: PreTokenizer {
  func split(_ text: inout AlignedText) -> [Range<Int>] {
    let bytes = text.bytes
    var words: [Range<Int>] = []
    var (start, index) = (0, 0)
    while index < bytes.count {
      let (scalar, end) = bytes.scalar(at: index)
      if scalar.isSpace {
        if start < index { words.append(start..<index) }
        start = end
      }
      index = end
    }
    if start < bytes.count { words.append(start..<bytes.count) }
    return words
  }
}
