/// Canonical decomposition (the mapping under NFD) of single scalars, as of Unicode 9.
///
/// The standard library decomposes strings only, and by the Unicode of the machine; places need it scalar by scalar.
struct CanonicalDecomposition: Sendable {
  static let shared = CanonicalDecomposition(data: canonicalDecompositionData)

  /// Ascending.
  private var composed: [UInt32] = []
  /// Where the parts of each composed scalar begin, and the end of the last.
  private var starts: [Int] = []
  private var parts: [Unicode.Scalar] = []

  private init(data: StaticString) {
    data.withUTF8Buffer { text in
      var value: UInt32 = 0
      for byte in text {
        switch byte {
        case UInt8(ascii: "="):
          composed.append(value)
          starts.append(parts.count)
          value = 0
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"):
          value = value << 4 | UInt32(byte < 0x40 ? byte - 0x30 : byte - 0x37)
        default:
          if value > 0, let part = Unicode.Scalar(value) { parts.append(part) }
          value = 0
        }
      }
      if value > 0, let part = Unicode.Scalar(value) { parts.append(part) }
    }
    starts.append(parts.count)
  }

  /// Calls `body` with each part of `scalar` in order, with `scalar` itself if it does not decompose.
  func forEachPart(of scalar: Unicode.Scalar, _ body: (Unicode.Scalar) -> Void) {
    let value = scalar.value
    if value < 0xC0 || (0x3400..<0xA000).contains(value) { return body(scalar) }
    if (0xAC00..<0xD7A4).contains(value) { return hangulParts(of: value - 0xAC00, body) }
    guard let index = index(of: value) else { return body(scalar) }
    for part in parts[starts[index]..<starts[index + 1]] { body(part) }
  }

  /// A syllable is (leading consonant, vowel, trailing consonant or none) in positional notation.
  private func hangulParts(of syllable: UInt32, _ body: (Unicode.Scalar) -> Void) {
    let trailing = syllable % 28
    let jamo = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28] + (trailing > 0 ? [0x11A7 + trailing] : [])
    for value in jamo {
      if let part = Unicode.Scalar(value) { body(part) }
    }
  }

  private func index(of value: UInt32) -> Int? {
    var low = 0
    var high = composed.count
    while low < high {
      let middle = (low + high) / 2
      if composed[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < composed.count && composed[low] == value ? low : nil
  }

  /// The character that two compose, by both: the decompositions turned round, without those that Unicode excludes.
  static let compositions: [UInt64: Unicode.Scalar] = {
    let shared = CanonicalDecomposition.shared
    var whole: [[Unicode.Scalar]: Unicode.Scalar] = [:], pairs: [UInt64: Unicode.Scalar] = [:]
    let composites = shared.composed.enumerated().compactMap { index, value -> (Unicode.Scalar, [Unicode.Scalar])? in
      guard let scalar = Unicode.Scalar(value), !scalar.properties.isFullCompositionExclusion else { return nil }
      return (scalar, Array(shared.parts[shared.starts[index]..<shared.starts[index + 1]]))
    }
    for (scalar, parts) in composites { whole[parts] = scalar }
    for (scalar, parts) in composites where parts.count >= 2 {
      // Of three parts the first two are a character of their own.
      guard let first = parts.count == 2 ? parts[0] : whole[Array(parts.dropLast())] else { continue }
      pairs[UInt64(first.value) << 32 | UInt64(parts[parts.count - 1].value)] = scalar
    }
    return pairs
  }()
}
