import HubTransformer

/// Makes bytes that are nearly right from bytes that are right.
struct Mutator {
  var numbers: SplitMix
  /// What the format is made of: its words, and what its fields may not be.
  let words: [[UInt8]]

  /// Inputs stay below this, so that a slow one is the parser's fault.
  static let byteLimit = 1 << 17
  private static let oddBytes: [UInt8] = [0, 1, 0x20, 0x2E, 0x2F, 0x7F, 0x80, 0xFF]
  private static let oddNumbers: [UInt64] = [
    0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
    0x3FFF_FFFF_FFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
  ]

  /// - Parameter other: another input, to splice with.
  mutating func mutated(_ bytes: [UInt8], splicingWith other: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<(1 << below(4)) / 2 + 1 { change(&bytes, other) }
    return Array(bytes.prefix(Self.byteLimit))
  }

  mutating func below(_ bound: Int) -> Int { bound > 0 ? Int.random(in: 0..<bound, using: &numbers) : 0 }

  private mutating func change(_ bytes: inout [UInt8], _ other: [UInt8]) {
    guard !bytes.isEmpty else { return bytes = other }
    let place = below(bytes.count), part = part(of: bytes)
    switch below(12) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = Self.oddBytes[below(Self.oddBytes.count)]
    case 2: bytes.removeLast(bytes.count - place)
    case 3: bytes.removeSubrange(part)
    case 4: bytes.insert(contentsOf: bytes[part], at: place)
    case 5: bytes = Array(bytes[..<place] + other[below(other.count)...])
    case 6: bytes.insert(contentsOf: word(), at: place)
    case 7, 8: bytes.replaceSubrange(token(in: bytes, around: place), with: word())
    case 9: changeNumber(&bytes, at: place)
    case 10: replaceEverywhere(&bytes, part)
    default: bytes.insert(contentsOf: repeatElement(bytes[part], count: min(1 << below(13), Self.byteLimit / max(part.count, 1))).joined(), at: place)
    }
  }

  /// A short range, seldom a long one.
  private mutating func part(of bytes: [UInt8]) -> Range<Int> {
    let start = below(bytes.count)
    return start..<min(bytes.count, start + 1 + below(1 << below(10)))
  }

  private mutating func word() -> [UInt8] { words.isEmpty ? [] : words[below(words.count)] }

  /// The number, name or word of a text at a place; a byte of anything else.
  private func token(in bytes: [UInt8], around place: Int) -> Range<Int> {
    let isPart = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || [0x2B, 0x2D, 0x2E, 0x5F].contains(byte) }
    guard isPart(bytes[place]) else { return place..<place + 1 }
    let start = bytes[..<place].lastIndex { !isPart($0) }.map { $0 + 1 } ?? 0
    return start..<(bytes[place...].firstIndex { !isPart($0) } ?? bytes.count)
  }

  /// Takes a few bytes for a little-endian length, and makes it larger, smaller or absurd.
  private mutating func changeNumber(_ bytes: inout [UInt8], at place: Int) {
    let width = min(1 << below(4), bytes.count - place)
    let old = bytes[place..<place + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let new = below(2) == 0 ? old &+ UInt64(bitPattern: Int64(below(64) - 32)) : Self.oddNumbers[below(Self.oddNumbers.count)]
    for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: new >> UInt64(8 * index)) }
  }

  /// The same change wherever the same bytes stand: a zip file, for one, says everything twice.
  private mutating func replaceEverywhere(_ bytes: inout [UInt8], _ part: Range<Int>) {
    let old = Array(bytes[part].prefix(16))
    var new = old
    new[below(new.count)] ^= UInt8(1 + below(255))
    for start in 0..<max(0, bytes.count - old.count + 1) where bytes[start..<start + old.count].elementsEqual(old) {
      bytes.replaceSubrange(start..<start + old.count, with: new)
    }
  }
}
