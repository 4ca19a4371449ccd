/// Text on its way through normalisation: UTF-8, and for each byte where it comes from.
///
/// Tokenizers change text before they cut it, yet report places in the text they were given. Each byte
/// therefore carries the range of Unicode scalars of the original text that it stands for.
struct AlignedText: Sendable {
  /// Valid UTF-8.
  private(set) var bytes: [UInt8] = []
  /// For each byte, the scalars of the original text.
  private(set) var sources: [Range<Int32>] = []

  init(minimumCapacity: Int) {
    bytes.reserveCapacity(minimumCapacity)
    sources.reserveCapacity(minimumCapacity)
  }

  /// Text that is still what it was: `bytes` begin with the scalar number `firstScalar` of the original.
  init(original bytes: ArraySlice<UInt8>, firstScalar: Int32) {
    self.bytes = Array(bytes)
    sources.reserveCapacity(bytes.count)
    var next = firstScalar
    for byte in bytes {
      if !isContinuation(byte) { next += 1 }
      sources.append(next - 1..<next)
    }
  }

  var count: Int { bytes.count }

  mutating func append(_ ascii: UInt8, from source: Range<Int32>) {
    bytes.append(ascii)
    sources.append(source)
  }

  mutating func append(_ scalar: Unicode.Scalar, from source: Range<Int32>) {
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte, from: source) }
  }

  mutating func append(_ text: AlignedText) {
    bytes += text.bytes
    sources += text.sources
  }

  /// The scalars of the original text that the bytes of `range` stand for; empty where `range` is.
  func source(of range: Range<Int>) -> Range<Int32> {
    guard let last = range.last else { return 0..<0 }
    let start = sources[range.lowerBound].lowerBound
    return start..<max(start, sources[last].upperBound)
  }

  /// A part of the text that keeps its places in the original.
  subscript(range: Range<Int>) -> AlignedText {
    var part = AlignedText(minimumCapacity: 0)
    part.bytes = Array(bytes[range])
    part.sources = Array(sources[range])
    return part
  }
}

/// Whether a byte of UTF-8 continues a scalar that began before it.
func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

extension [UInt8] {
  /// The scalar whose UTF-8 begins at `index`, and the index after it. The bytes must be valid UTF-8 from there on.
  func scalar(at index: Int) -> (scalar: Unicode.Scalar, end: Int) {
    let first = self[index]
    let length = first < 0x80 ? 1 : Swift.min(Swift.max((~first).leadingZeroBitCount, 2), 4)
    var value = length == 1 ? UInt32(first) : UInt32(first) & (0x7F >> UInt32(length))
    let end = Swift.min(index + length, count)
    for byte in self[index + 1..<end] { value = value << 6 | UInt32(byte & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", end)
  }

  /// The index at which the scalar that ends before `index` begins.
  func scalarStart(before index: Int) -> Int {
    var start = index - 1
    while start > 0, isContinuation(self[start]) { start -= 1 }
    return start
  }
}
