/// How ranges of characters look in UTF-8: sequences of ranges of bytes.
enum ByteRanges {
  /// Every sequence matches the UTF-8 of a part of the range; all together match all of it.
  static func sequences(_ range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    let limits: [UInt32] = [0x7F, 0x7FF, 0xFFFF, 0x10FFFF]
    for limit in limits where range.lowerBound <= limit && range.upperBound > limit {
      return sequences(range.lowerBound...limit) + sequences(limit + 1...range.upperBound)
    }
    if range.upperBound <= 0x7F { return [[UInt8(range.lowerBound)...UInt8(range.upperBound)]] }
    // Where the last bytes do not run through all values, the range is cut.
    for shift: UInt32 in [6, 12, 18] {
      let mask = (UInt32(1) << shift) - 1
      guard range.lowerBound & ~mask != range.upperBound & ~mask else { continue }
      if range.lowerBound & mask != 0 {
        return sequences(range.lowerBound...range.lowerBound | mask)
          + sequences((range.lowerBound | mask) + 1...range.upperBound)
      }
      if range.upperBound & mask != mask {
        return sequences(range.lowerBound...(range.upperBound & ~mask) - 1)
          + sequences(range.upperBound & ~mask...range.upperBound)
      }
    }
    return [zip(bytes(range.lowerBound), bytes(range.upperBound)).map { $0...$1 }]
  }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(value >> shift & 0x3F) }
    switch value {
    case ..<0x80: return [UInt8(value)]
    case ..<0x800: return [0xC0 | UInt8(value >> 6), tail(0)]
    case ..<0x10000: return [0xE0 | UInt8(value >> 12), tail(6), tail(0)]
    default: return [0xF0 | UInt8(value >> 18), tail(12), tail(6), tail(0)]
    }
  }
}
