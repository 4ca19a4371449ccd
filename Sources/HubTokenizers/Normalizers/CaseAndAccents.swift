/// Writes everything in lower case, character by character.
struct Lowercase: Normalizer {
  func normalize(_ text: AlignedText) -> AlignedText {
    text.mapped { scalar in
      scalar.properties.changesWhenLowercased ? Array(scalar.properties.lowercaseMapping.unicodeScalars) : [scalar]
    }
  }
}

/// Leaves out all marks that combine with the character before them, those of vowels included.
struct StripAccents: Normalizer {
  func normalize(_ text: AlignedText) -> AlignedText { text.mapped { $0.isCombiningMark ? [] : [$0] } }
}

extension AlignedText {
  /// Other scalars for each; all have its place.
  fileprivate func mapped(_ transform: (Unicode.Scalar) -> [Unicode.Scalar]) -> AlignedText {
    var result = AlignedText(minimumCapacity: count)
    var index = 0
    while index < count {
      let (scalar, end) = bytes.scalar(at: index)
      for other in transform(scalar) { result.append(other, from: source(of: index..<end)) }
      index = end
    }
    return result
  }
}
