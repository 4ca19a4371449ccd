import HubWords

/// Leaves the white space that a token of the alphabet of bytes begins or ends with out of its place in the text.
struct SpaceTrimming: Sendable {
  /// Whether the one space that a first token begins with was put there, and has no place.
  var addsPrefixSpace: Bool
  let token: @Sendable (Int32) -> String?

  /// Whether this many leading spaces of a token belong to its place.
  func keepsSpaces(_ count: Int32, isFirst: Bool) -> Bool { count == 1 && isFirst && addsPrefixSpace }

  func trim(_ sequence: TokenSequence) -> TokenSequence {
    var trimmed = TokenSequence()
    for index in 0..<sequence.count {
      let id = sequence.ids[index]
      trimmed.append(
        id, offsets: trim(sequence.offsets[index], of: id, isFirst: index == 0), word: Int(sequence.words[index]))
    }
    return trimmed
  }

  private func trim(_ place: Range<Int32>, of id: Int32, isFirst: Bool) -> Range<Int32> {
    guard let scalars = token(id)?.unicodeScalars else { return place }
    let leading = Int32(scalars.prefix(while: ByteAlphabet.isSpace).count)
    let trailing = Int32(scalars.reversed().prefix(while: ByteAlphabet.isSpace).count)
    let start =
      keepsSpaces(leading, isFirst: isFirst || place.lowerBound == 0)
      ? place.lowerBound : min(place.lowerBound + leading, place.upperBound)
    return start..<(place.upperBound >= trailing ? max(place.upperBound - trailing, start) : place.upperBound)
  }
}

extension SpaceTrimming {
  /// Reads `post_processor` of tokenizer.json; `nil` if it does not ask for it.
  init?(_ json: JSONObject, token: @escaping @Sendable (Int32) -> String?) throws {
    guard try json.optionalBool("trim_offsets") ?? true else { return nil }
    self.init(addsPrefixSpace: try json.optionalBool("add_prefix_space") ?? true, token: token)
  }
}
