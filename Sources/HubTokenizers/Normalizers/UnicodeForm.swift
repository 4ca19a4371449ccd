import Foundation

/// The normal forms of Unicode: C composes, D decomposes, KC and KD also replace what is only another look of a
/// character.
///
/// What is younger than Unicode 9 stays as it is, as in Hugging Face's library.
enum UnicodeForm: String, Normalizer {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatiblyComposed = "NFKC"
  case compatiblyDecomposed = "NFKD"

  func normalize(_ text: AlignedText) -> AlignedText {
    guard text.bytes.contains(where: { $0 >= 0x80 }) else { return text }
    var parts: [Part] = [], index = 0
    while index < text.count {
      let (scalar, end) = text.bytes.scalar(at: index)
      decompose(scalar, from: text.source(of: index..<end), into: &parts)
      index = end
    }
    order(&parts)
    if self == .composed || self == .compatiblyComposed { parts = compose(parts) }
    var result = AlignedText(minimumCapacity: text.count)
    for part in parts { result.append(part.scalar, from: part.source) }
    return result
  }

  private struct Part {
    var scalar: Unicode.Scalar
    var source: Range<Int32>
    /// Whether it is the first of what a character of the text became.
    var isFirst: Bool
    var order: UInt8
  }

  private func decompose(_ scalar: Unicode.Scalar, from source: Range<Int32>, into parts: inout [Part]) {
    var isFirst = true
    func append(_ part: Unicode.Scalar) {
      parts.append(Part(scalar: part, source: source, isFirst: isFirst, order: part.combiningClass))
      isFirst = false
    }
    if self == .composed || self == .decomposed || scalar.value < 0xA0 || !scalar.isKnownToNormalForms {
      CanonicalDecomposition.shared.forEachPart(of: scalar, append)
    } else {
      String(Character(scalar)).decomposedStringWithCompatibilityMapping.unicodeScalars.forEach(append)
    }
  }

  /// Puts marks into canonical order. Their places stay in the order of the text: see ``BertNormalizer``.
  private func order(_ parts: inout [Part]) {
    var start = 0
    while start < parts.count {
      guard parts[start].order > 0 else {
        start += 1
        continue
      }
      let end = parts[start...].firstIndex { $0.order == 0 } ?? parts.count
      let run = parts[start..<end]
      var places = run.filter(\.isFirst).map(\.source).makeIterator()
      var source = start > 0 ? parts[start - 1].source : run.first?.source ?? 0..<0
      let ordered = run.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }.map(
        \.element)
      for (offset, mark) in ordered.enumerated() {
        if mark.isFirst, let place = places.next() { source = place }
        parts[start + offset] = mark
        parts[start + offset].source = source
      }
      start = end
    }
  }

  /// Joins characters with the marks after them, where Unicode has one character for both.
  private func compose(_ parts: [Part]) -> [Part] {
    var result: [Part] = [], starter: Int?
    var lastOrder: UInt8 = 0
    for part in parts {
      // A mark is blocked by one of the same or a higher class that stands between.
      let isAdjacent = starter == result.count - 1
      if let place = starter, isAdjacent || lastOrder < part.order && lastOrder > 0,
        let joined = Self.composition(result[place].scalar, part.scalar)
      {
        result[place].scalar = joined
        continue
      }
      if part.order == 0 { starter = result.count }
      lastOrder = part.order
      result.append(part)
    }
    return result
  }

  /// The one character for two; `nil` if there is none.
  private static func composition(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    let (first, second) = (first.value, second.value)
    // Hangul: a leading consonant with a vowel, such a syllable with a trailing consonant.
    if (0x1100..<0x1113).contains(first), (0x1161..<0x1176).contains(second) {
      return Unicode.Scalar(0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28)
    }
    if (0xAC00..<0xD7A4).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8..<0x11C3).contains(second) {
      return Unicode.Scalar(first + second - 0x11A7)
    }
    return CanonicalDecomposition.compositions[UInt64(first) << 32 | UInt64(second)]
  }
}

extension Unicode.Scalar {
  /// Whether Unicode 9 has it.
  fileprivate var isKnownToNormalForms: Bool { properties.age.map { $0 <= (9, 0) } ?? false }
}
