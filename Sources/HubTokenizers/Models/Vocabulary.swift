public import HubWords

extension Failure.Code {
  /// The vocabulary contradicts itself: a token or an id twice, an id out of range, no unknown token.
  public static let malformedVocabulary = Self("tokenizer/vocabulary", .badData)
}

/// Tokens and their ids, both ways, by the bytes of the tokens: a composed and a decomposed "é" are two tokens.
struct Vocabulary: Sendable {
  /// The UTF-8 of all tokens.
  private var bytes: [UInt8] = []
  /// Where the bytes of each id are, by id; `nil` for ids without a token.
  private var spans: [Range<Int>?] = []
  /// Open addressing: the upper half of the hash and, below, the id plus one; 0 where free.
  private var slots: [UInt64] = Array(repeating: 0, count: 16)
  private var hasher = ByteHasher()
  /// How many tokens there are, which is fewer than ``idBound`` where ids are left out.
  private(set) var count = 0
  /// The length in bytes of the longest token.
  private(set) var longest = 0

  init(minimumCapacity: Int = 0) {
    let slotCount = Int(UInt64(max(minimumCapacity, 8) * 2 - 1).nextPowerOfTwo)
    slots = Array(repeating: 0, count: slotCount)
    spans.reserveCapacity(minimumCapacity)
    bytes.reserveCapacity(minimumCapacity * 8)
  }

  /// One more than the largest id.
  var idBound: Int { spans.count }

  /// Adds a token.
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/malformedVocabulary`` if the id is out of range or taken, or the token
  ///   is there already.
  mutating func insert(_ token: some Collection<UInt8>, id: Int) throws {
    guard (0..<InputLimits.tokenIDs).contains(id) else {
      throw malformed("the id \(id) is not between 0 and \(InputLimits.tokenIDs - 1)", token)
    }
    guard id >= spans.count || spans[id] == nil else { throw malformed("the id \(id) has two tokens", token) }
    let start = bytes.count
    bytes.append(contentsOf: token)
    let span = start..<bytes.count
    let hash = hasher.hash(bytes, span)
    guard find(hash, matching: { equals($0, bytes, span) }) == nil else {
      bytes.removeSubrange(span)
      throw malformed("the token has two ids", token)
    }
    if (count + 1) * 2 > slots.count { grow() }
    while spans.count <= id { spans.append(nil) }
    spans[id] = span
    occupy(hash, id: id)
    count += 1
    longest = max(longest, span.count)
  }

  private func malformed(_ message: String, _ token: some Collection<UInt8>) -> Failure {
    Failure(.malformedVocabulary, message, at: String(decoding: token.prefix(64), as: UTF8.self).debugDescription)
  }

  func id(of token: String) -> Int32? {
    let token = Array(token.utf8)
    return id(of: token, token.indices)
  }

  /// The UTF-8 of a token.
  func bytes(of id: Int32) -> ArraySlice<UInt8>? {
    guard spans.indices.contains(Int(id)), let span = spans[Int(id)] else { return nil }
    return bytes[span]
  }

  func token(_ id: Int32) -> String? { bytes(of: id).map { String(decoding: $0, as: UTF8.self) } }
}

// MARK: - Tokens at a place of a text

extension Vocabulary {
  /// The state of the hash after `prefix`, to begin ``longestToken(in:_:after:)`` with.
  func start(_ prefix: [UInt8]) -> (state: UInt64, prefix: [UInt8]) {
    (hasher.state(prefix, prefix.indices, from: hasher.seed), prefix)
  }

  /// The longest token that is `prefix` and then the first bytes of `range`: its id, and where those bytes end.
  /// Only whole scalars are taken.
  func longestToken(
    in text: [UInt8], _ range: Range<Int>, after start: (state: UInt64, prefix: [UInt8])
  ) -> (id: Int32, end: Int)? {
    let length = min(range.count, longest - start.prefix.count)
    guard length > 0 else { return nil }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: length) { states in
      var state = start.state
      for offset in 0..<length {
        state = hasher.step(state, text[range.lowerBound + offset])
        states.initializeElement(at: offset, to: state)
      }
      var end = range.lowerBound + length
      if end < range.upperBound, isContinuation(text[end]) { end = text.scalarStart(before: end) }
      while end > range.lowerBound {
        let candidate = range.lowerBound..<end
        let found = find(states[candidate.count - 1]) { id in
          start.prefix.isEmpty ? equals(id, text, candidate) : equals(id, start.prefix, text, candidate)
        }
        if let found { return (found, end) }
        end = text.scalarStart(before: end)
      }
      return nil
    }
  }

  /// Calls `body` with each token that `range` begins with and that ends between scalars, the shortest first: its id,
  /// and where it ends.
  func forEachToken(in text: [UInt8], _ range: Range<Int>, _ body: (_ id: Int32, _ end: Int) -> Void) {
    var state = hasher.seed
    for end in range.lowerBound..<min(range.lowerBound + longest, range.upperBound) {
      state = hasher.step(state, text[end])
      guard end + 1 == text.count || !isContinuation(text[end + 1]) else { continue }
      let candidate = range.lowerBound..<end + 1
      if let id = find(state, matching: { equals($0, text, candidate) }) { body(id, end + 1) }
    }
  }

  /// The id of the token with the bytes of `range`.
  func id(of text: [UInt8], _ range: Range<Int>) -> Int32? {
    find(hasher.hash(text, range)) { equals($0, text, range) }
  }

  private func equals(_ id: Int32, _ text: [UInt8], _ range: Range<Int>) -> Bool {
    guard let span = spans[Int(id)], span.count == range.count else { return false }
    for offset in 0..<range.count where bytes[span.lowerBound + offset] != text[range.lowerBound + offset] {
      return false
    }
    return true
  }

  private func equals(_ id: Int32, _ prefix: [UInt8], _ text: [UInt8], _ range: Range<Int>) -> Bool {
    guard let span = spans[Int(id)], span.count == prefix.count + range.count else { return false }
    for offset in 0..<prefix.count where bytes[span.lowerBound + offset] != prefix[offset] { return false }
    let start = span.lowerBound + prefix.count
    for offset in 0..<range.count where bytes[start + offset] != text[range.lowerBound + offset] { return false }
    return true
  }
}

// MARK: - The table

extension Vocabulary {
  /// Looks through the slots from the place of `hash` on, as far as they are taken.
  private func find(_ hash: UInt64, matching: (Int32) -> Bool) -> Int32? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let entry = slots[slot]
      if entry >> 32 == hash >> 32 {
        let id = Int32(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
        if matching(id) { return id }
      }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func occupy(_ hash: UInt64, id: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = hash & ~0xFFFF_FFFF | UInt64(id + 1)
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for (id, span) in spans.enumerated() {
      if let span { occupy(hasher.hash(bytes, span), id: id) }
    }
  }
}

/// A hash that is computed byte by byte, so that all beginnings of a word are hashed in one go. Its seeds are drawn
/// at random for each vocabulary: no file can be written so that its tokens collide.
private struct ByteHasher: Sendable {
  let seed = UInt64.random(in: .min ... .max)
  private let factor = UInt64.random(in: .min ... .max) | 1

  func step(_ state: UInt64, _ byte: UInt8) -> UInt64 {
    let product = (state ^ UInt64(byte)).multipliedFullWidth(by: factor)
    return product.high ^ product.low
  }

  func state(_ bytes: [UInt8], _ range: Range<Int>, from state: UInt64) -> UInt64 {
    var state = state
    for index in range { state = step(state, bytes[index]) }
    return state
  }

  func hash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 { state(bytes, range, from: seed) }
}

extension UInt64 {
  /// The smallest power of two that is not smaller.
  fileprivate var nextPowerOfTwo: UInt64 { self <= 1 ? 1 : 1 << UInt64(64 - (self - 1).leadingZeroBitCount) }
}
