import HubWords

/// Writes one text for another, or for spaces in a row.
struct Replace: Normalizer {
  enum Pattern: Hashable, Sendable {
    case text([UInt8])
    /// As many spaces as there are, but not fewer.
    case spaces(atLeast: Int)
  }

  let pattern: Pattern
  let content: [UInt8]

  func normalize(_ text: AlignedText) -> AlignedText {
    var result = AlignedText(minimumCapacity: text.count)
    var index = 0
    while index < text.count {
      let length = matchLength(text.bytes, index)
      if length > 0 {
        // What is written stands for the last scalar of what it replaces.
        for byte in content { result.append(byte, from: text.sources[index + length - 1]) }
      } else {
        result.append(text.bytes[index], from: text.sources[index])
      }
      index += max(length, 1)
    }
    return result
  }

  private func matchLength(_ bytes: [UInt8], _ index: Int) -> Int {
    switch pattern {
    case .text(let text): return bytes[index...].starts(with: text) ? text.count : 0
    case .spaces(let least):
      let count = bytes[index...].prefix { $0 == UInt8(ascii: " ") }.count
      return count < least ? 0 : count
    }
  }
}

extension Replace {
  /// Reads `normalizer` of tokenizer.json. Of regular expressions it knows those that SentencePiece's models come with.
  init(_ json: JSONObject) throws {
    let pattern = try json.object("pattern"), text = try pattern.optionalString("String")
    content = Array(try json.string("content").utf8)
    guard max(content.count, text?.utf8.count ?? 0) <= InputLimits.replacementBytes else {
      throw Failure(
        .excessiveTokenizer, "a replacement is longer than \(InputLimits.replacementBytes) bytes", at: json.path)
    }
    if let text {
      self.pattern = .text(Array(text.utf8))
      return
    }
    switch try pattern.string("Regex") {
    case " {2,}": self.pattern = .spaces(atLeast: 2)
    case " +": self.pattern = .spaces(atLeast: 1)
    case let other: throw TokenizerFile.unsupported("regular expression", other, in: pattern)
    }
  }
}
