import HubWords

/// Tokens that are found in the text before anything cuts it: special ones such as `[MASK]`, and words that somebody
/// added to a vocabulary.
struct AddedTokens: Sendable {
  struct Token: Hashable, Sendable {
    let id: Int32
    let content: String
    /// Left out when decoding without special tokens.
    var isSpecial = true
    /// Found in normalised text rather than in the text as given.
    var isNormalized = false
    /// Not found inside of a word.
    var standsAlone = false
    /// Takes the white space before it.
    var takesSpaceBefore = false
    /// Takes the white space after it.
    var takesSpaceBehind = false

    func with(id: Int32) -> Token {
      Token(
        id: id, content: content, isSpecial: isSpecial, isNormalized: isNormalized, standsAlone: standsAlone,
        takesSpaceBefore: takesSpaceBefore, takesSpaceBehind: takesSpaceBehind)
    }
  }

  /// A part of some text: one token, or what stands between.
  struct Part {
    let range: Range<Int>
    /// The range without the white space that the token takes.
    let content: Range<Int>
    let token: Int32?

    init(_ range: Range<Int>, content: Range<Int>? = nil, token: Int32? = nil) {
      self.range = range
      self.content = content ?? range
      self.token = token
    }
  }

  private var tokens: [Token]
  private var special: Set<Int32>
  private var original = ByteTrie()
  private var normalized = ByteTrie()

  /// - Parameter normalizer: what tokens that are found in normalised text go through first.
  ///
  /// - Throws: as the normalizer.
  init(_ tokens: [Token], normalizer: (any Normalizer)?) throws {
    self.tokens = tokens
    special = Set(tokens.filter(\.isSpecial).map(\.id))
    for (index, token) in tokens.enumerated() {
      let bytes = Array(token.content.utf8)
      if token.isNormalized {
        let text = AlignedText(original: bytes[...], firstScalar: 0)
        normalized.insert(try normalizer?.bounded(text).bytes ?? bytes, value: index)
      } else {
        original.insert(bytes, value: index)
      }
    }
  }

  func isSpecial(_ id: Int32) -> Bool { special.contains(id) }

  /// Splits text as it was given.
  func split(original bytes: [UInt8]) -> [Part] { split(bytes, original) }

  /// Splits normalised text.
  func split(normalized bytes: [UInt8]) -> [Part] { split(bytes, normalized) }

  /// The leftmost tokens, of two at one place the longer; they do not overlap.
  private func split(_ bytes: [UInt8], _ trie: ByteTrie) -> [Part] {
    guard !trie.isEmpty else { return bytes.isEmpty ? [] : [Part(bytes.indices)] }
    var parts: [Part] = []
    var start = 0
    var index = 0
    while index < bytes.count {
      guard let match = trie.longestMatch(in: bytes, at: index) else {
        index += 1
        continue
      }
      let token = tokens[match.value]
      let range = index..<match.end
      index = match.end
      if token.standsAlone, Self.isInsideWord(range, bytes) { continue }
      let taken = Self.widened(range, for: token, in: bytes, notBefore: start)
      if start < taken.lowerBound { parts.append(Part(start..<taken.lowerBound)) }
      parts.append(Part(taken, content: range, token: token.id))
      start = taken.upperBound
      index = max(index, start)
    }
    if start < bytes.count { parts.append(Part(start..<bytes.count)) }
    return parts
  }

  private static func isInsideWord(_ range: Range<Int>, _ bytes: [UInt8]) -> Bool {
    if range.lowerBound > 0 {
      let before = bytes.scalar(at: bytes.scalarStart(before: range.lowerBound)).scalar
      if before.isWordCharacter { return true }
    }
    return range.upperBound < bytes.count && bytes.scalar(at: range.upperBound).scalar.isWordCharacter
  }

  /// The range with the white space around it that the token takes.
  private static func widened(
    _ range: Range<Int>, for token: Token, in bytes: [UInt8], notBefore limit: Int
  ) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while token.takesSpaceBefore, start > limit {
      let previous = bytes.scalarStart(before: start)
      guard previous >= limit, bytes.scalar(at: previous).scalar.isSpace else { break }
      start = previous
    }
    while token.takesSpaceBehind, end < bytes.count {
      let (scalar, next) = bytes.scalar(at: end)
      guard scalar.isSpace else { break }
      end = next
    }
    return start..<end
  }
}

/// Byte strings, to find the longest that begins at a place of a text.
struct ByteTrie: Sendable {
  private struct Node {
    var byte: UInt8
    var child: Int32 = 0
    var sibling: Int32 = 0
    var value: Int32 = -1
  }

  private var nodes: [Node] = []
  /// The first node for each first byte, 0 for none.
  private var roots: [Int32] = Array(repeating: 0, count: 256)

  var isEmpty: Bool { nodes.isEmpty }

  /// Adds a string; an empty one is never found. A string that is there already keeps its first value.
  mutating func insert(_ bytes: [UInt8], value: Int) {
    guard let first = bytes.first else { return }
    if nodes.isEmpty { nodes.append(Node(byte: 0)) }
    if roots[Int(first)] == 0 { roots[Int(first)] = append(first) }
    var node = Int(roots[Int(first)])
    for byte in bytes.dropFirst() { node = child(of: node, byte) ?? addChild(to: node, byte) }
    if nodes[node].value < 0 { nodes[node].value = Int32(value) }
  }

  /// The value of the longest string that begins at `start`, and where it ends.
  func longestMatch(in bytes: [UInt8], at start: Int) -> (value: Int, end: Int)? {
    var node = Int(roots[Int(bytes[start])])
    guard node > 0 else { return nil }
    var match: (value: Int, end: Int)?
    var index = start + 1
    while true {
      if nodes[node].value >= 0 { match = (Int(nodes[node].value), index) }
      guard index < bytes.count, let next = child(of: node, bytes[index]) else { return match }
      node = next
      index += 1
    }
  }

  private func child(of node: Int, _ byte: UInt8) -> Int? {
    var child = Int(nodes[node].child)
    while child > 0 {
      if nodes[child].byte == byte { return child }
      child = Int(nodes[child].sibling)
    }
    return nil
  }

  private mutating func addChild(to node: Int, _ byte: UInt8) -> Int {
    let child = append(byte)
    nodes[Int(child)].sibling = nodes[node].child
    nodes[node].child = child
    return Int(child)
  }

  private mutating func append(_ byte: UInt8) -> Int32 {
    nodes.append(Node(byte: byte))
    return Int32(truncatingIfNeeded: nodes.count - 1)
  }
}
