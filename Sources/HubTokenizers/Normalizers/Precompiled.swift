import Foundation
public import HubWords

/// SentencePiece's normalisation, such as NFKC with its own rules: a table made with the model says what becomes of
/// which characters.
///
/// As `tokenizers` applies it: to what a person sees as one character first, if that has fewer than six bytes, then to
/// each of its scalars. A character that only begins with an entry is replaced by it as a whole.
struct Precompiled: Normalizer {
  /// A double-array trie (Aoe 1989): units of 32 bits, as in SentencePiece's `darts.h`.
  private let units: [UInt32]
  /// What entries become, each with a zero after it.
  private let replacements: [UInt8]

  /// - Parameter table: the size of the trie in bytes (32 bits), the trie, the replacements.
  /// - Throws: ``Failure`` with ``Failure/Code/malformedNormalizer``.
  init(table: [UInt8]) throws {
    let size = table.count < 4 ? 0 : Int(Self.unit(table, at: 0))
    guard size > 0, size % 4 == 0, size <= table.count - 4 else {
      throw Failure(.malformedNormalizer, "a trie of \(size) bytes does not fit into a table of \(table.count)")
    }
    units = stride(from: 4, to: 4 + size, by: 4).map { Self.unit(table, at: $0) }
    replacements = Array(table[(4 + size)...])
    guard String(validating: replacements, as: UTF8.self) != nil else {
      throw Failure(.malformedNormalizer, "the replacements are not UTF-8")
    }
    guard replacements.split(separator: 0).allSatisfy({ $0.count <= InputLimits.replacementBytes }) else {
      throw Failure(.excessiveTokenizer, "a replacement is longer than \(InputLimits.replacementBytes) bytes")
    }
  }

  private static func unit(_ bytes: [UInt8], at index: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << UInt32(8 * $1) }
  }

  func normalize(_ text: AlignedText) -> AlignedText {
    var changes = ScalarChanges(capacity: text.count)
    var isChanged = false
    for range in CharacterRanges(bytes: text.bytes) {
      let isShort = range.count < 6
      if isShort, let replacement = replacement(text.bytes[range]) {
        changes.replace(text.bytes[range], by: replacement)
        isChanged = true
        continue
      }
      var start = range.lowerBound
      while start < range.upperBound {
        let (scalar, end) = text.bytes.scalar(at: start)
        if let replacement = replacement(text.bytes[start..<end]) {
          changes.replace(text.bytes[start..<end], by: replacement)
          isChanged = true
        } else {
          changes.keep(scalar)
        }
        start = end
      }
    }
    return isChanged ? changes.applied(to: text) : text
  }

  /// What the shortest entry becomes that `key` begins with.
  private func replacement(_ key: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard var unit = units.first else { return nil }
    var node = Self.offset(unit)
    for byte in key {
      node ^= Int(byte)
      guard byte != 0, units.indices.contains(node) else { return nil }
      unit = units[node]
      guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
      node ^= Self.offset(unit)
      guard units.indices.contains(node) else { return nil }
      if unit >> 8 & 1 == 1 { return entry(Int(units[node] & 0x7FFF_FFFF)) }
    }
    return nil
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

  private func entry(_ start: Int) -> ArraySlice<UInt8>? {
    guard start <= replacements.count, start == replacements.count || !isContinuation(replacements[start]) else {
      return nil
    }
    return replacements[start...].prefix { $0 != 0 }
  }
}

extension Precompiled {
  /// Reads `normalizer` of tokenizer.json.
  init(_ json: JSONObject) throws {
    let place = json.path(to: "precompiled_charsmap")
    guard let table = Data(base64Encoded: try json.string("precompiled_charsmap")) else {
      throw Failure(.malformedNormalizer, "the table of characters is not base64", at: place)
    }
    self = try locating(place) { try Precompiled(table: Array(table)) }
  }
}

extension Failure.Code {
  /// A tokenizer's table of characters contradicts itself.
  public static let malformedNormalizer = Self("tokenizer/normalizer", .badData)
}

/// The characters as people see them (extended grapheme clusters) of some UTF-8.
private struct CharacterRanges: Sequence, IteratorProtocol {
  private let bytes: [UInt8]
  private let text: String
  private var index: String.Index
  private var start = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
    text = String(decoding: bytes, as: UTF8.self)
    index = text.startIndex
  }

  mutating func next() -> Range<Int>? {
    guard start < bytes.count else { return nil }
    let end = text.index(after: index), range = start..<start + text.utf8.distance(from: index, to: end)
    (start, index) = (range.upperBound, end)
    return range
  }
}

/// New scalars for old ones, and what `tokenizers` thinks each of them stands for.
private struct ScalarChanges {
  /// A scalar, and how many more scalars there are by it: 0 if it takes the place of one, 1 if it is added after the
  /// last, -n if it takes the place of one and of n after it.
  private var scalars: [(scalar: Unicode.Scalar, change: Int)] = []

  init(capacity: Int) { scalars.reserveCapacity(capacity) }

  mutating func keep(_ scalar: Unicode.Scalar) { scalars.append((scalar, 0)) }

  mutating func replace(_ old: ArraySlice<UInt8>, by new: ArraySlice<UInt8>) {
    let oldCount = old.count { !isContinuation($0) }
    let first = scalars.count
    for scalar in String(decoding: new, as: UTF8.self).unicodeScalars { scalars.append((scalar, 0)) }
    let added = scalars.count - first - oldCount
    if added > 0 {
      for index in scalars.indices.suffix(added) { scalars[index].change = 1 }
    } else if let last = scalars.indices.last {
      scalars[last].change += added
    }
  }

  /// The new scalars, each with the source of the old one whose place it takes.
  func applied(to text: AlignedText) -> AlignedText {
    var result = AlignedText(minimumCapacity: text.count)
    var index = 0
    for (scalar, change) in scalars {
      if change > 0 {
        result.append(scalar, from: index > 0 ? text.sources[index - 1] : 0..<0)
        continue
      }
      let source = index < text.count ? text.sources[index] : 0..<0
      for _ in 0...(-change) where index < text.count { index = text.bytes.scalar(at: index).end }
      result.append(scalar, from: source)
    }
    return result
  }
}
