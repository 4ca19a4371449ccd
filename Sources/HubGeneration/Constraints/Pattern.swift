/// What texts may look like: a regular expression without its syntax.
indirect enum Pattern: Hashable, Sendable {
  /// One character out of ranges of Unicode scalars.
  case scalars([ClosedRange<UInt32>])
  case sequence([Pattern])
  case any(of: [Pattern])
  /// Between `least` and `most` times; without `most`, as often as one likes.
  case repeated(Pattern, least: Int, most: Int?)

  static let empty = Pattern.sequence([])

  static func text(_ text: String) -> Pattern { .sequence(text.unicodeScalars.map { .scalars([$0.value...$0.value]) }) }

  static func optional(_ pattern: Pattern) -> Pattern { .repeated(pattern, least: 0, most: 1) }

  /// All scalars; surrogates are not scalars.
  static let allScalars: [ClosedRange<UInt32>] = [0...0xD7FF, 0xE000...0x10FFFF]

  /// What is in no range.
  static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    subtract(ranges, from: allScalars)
  }

  /// What is in `all` and not in `ranges`.
  static func subtract(_ ranges: [ClosedRange<UInt32>], from all: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    ranges.reduce(all) { rest, range in
      rest.flatMap { one -> [ClosedRange<UInt32>] in
        guard one.overlaps(range) else { return [one] }
        var parts: [ClosedRange<UInt32>] = []
        if one.lowerBound < range.lowerBound { parts.append(one.lowerBound...range.lowerBound - 1) }
        if one.upperBound > range.upperBound { parts.append(range.upperBound + 1...one.upperBound) }
        return parts
      }
    }
  }
}
