public import HubTokenizers

/// The bytes of all tokens of a vocabulary, in an order in which a constraint can go through them. Made once for a
/// tokenizer.
public final class VocabularyBytes: Sendable {
  struct Entry: Sendable {
    let token: Int32
    let bytes: [UInt8]
    /// How many bytes it begins with that the entry before has, too.
    let shared: Int
  }

  struct Ordered: Sendable {
    let entries: [Entry]

    init(_ tokens: [(token: Int32, bytes: [UInt8])]) {
      var entries: [Entry] = [], last: [UInt8] = []
      entries.reserveCapacity(tokens.count)
      for (token, bytes) in tokens.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
        let shared = zip(last, bytes).prefix { $0 == $1 }.count
        entries.append(Entry(token: token, bytes: bytes, shared: shared))
        last = bytes
      }
      self.entries = entries
    }
  }

  let tokenizer: any Tokenizer
  /// As tokens stand in a text, and as they stand at its beginning.
  let inside, first: Ordered

  public init(_ tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    func ordered(isFirst: Bool) -> Ordered {
      Ordered(
        (0..<Int32(tokenizer.vocabularySize)).compactMap { token in
          let bytes = tokenizer.bytes(of: token, isFirst: isFirst)
          return bytes.isEmpty ? nil : (token, bytes)
        })
    }
    inside = ordered(isFirst: false)
    first = ordered(isFirst: true)
  }
}
