import HubWords

/// The bytes of a tar file on their way to libarchive, all headers looked at before.
///
/// A tar file can say a name in many ways, of which programs take one or the other: records of pax for one entry or for
/// all that follow, GNU's long names, names with a zero byte in them, types that some know and others read as files.
/// Here only one reading is possible: plain files and folders (links and devices are refused later, by name), each with
/// at most one longer name.
final class TarStream: ByteStream {
  private static let block = 512
  /// Bytes of a longer name, or of the records of an entry.
  private static let extensionBytes = 1 << 20

  private let source: any ByteStream
  private var header: [UInt8] = []
  /// What stands between two headers and is not looked at.
  private var toSkip = 0
  private var extended: (kind: UInt8, size: Int, bytes: [UInt8])?
  /// Sizes of the next entry that stand before its header.
  private var recordedSize: Int?
  private var hasLongName = false
  private var isAtEnd = false
  private var isFirst = true

  init(_ source: any ByteStream) { self.source = source }

  var count: Int? { nil }
  func seek(to offset: Int) -> Bool { false }

  func next() throws -> UnsafeRawBufferPointer {
    let piece = try source.next()
    try look(at: piece[...])
    return piece
  }

  private func look(at piece: Slice<UnsafeRawBufferPointer>) throws {
    var rest = piece
    while !rest.isEmpty, !isAtEnd {
      if toSkip > 0 {
        let count = min(toSkip, rest.count)
        extended?.bytes.append(contentsOf: rest.prefix(count))
        toSkip -= count
        rest = rest.dropFirst(count)
        if toSkip == 0 { try finishExtended() }
        continue
      }
      let count = min(Self.block - header.count, rest.count)
      header.append(contentsOf: rest.prefix(count))
      rest = rest.dropFirst(count)
      if header.count == Self.block {
        try admit(header)
        header.removeAll(keepingCapacity: true)
      }
    }
  }

  private func ambiguous(_ message: String) -> Failure { Failure(.ambiguousArchive, message) }

  private func admit(_ header: [UInt8]) throws {
    // What does not begin with a tar header is left to libarchive, which refuses it.
    guard !header.allSatisfy({ $0 == 0 }), !isFirst || Self.hasChecksum(header) else {
      isAtEnd = true
      return
    }
    isFirst = false
    let kind = header[156], isUstar = header[257..<262].elementsEqual("ustar".utf8)
    for field in [0..<100] + (isUstar && header[263] != 0x20 ? [345..<500] : []) {
      let text = header[field]
      guard text.drop(while: { $0 != 0 }).allSatisfy({ $0 == 0 }) else {
        throw ambiguous("the name of an entry has a zero byte in it")
      }
    }
    let size = try Self.number(header[124..<136])
    guard size >= 0, size <= .max - 2 * Self.block else { throw ambiguous("the size of an entry is impossible") }
    switch kind {
    case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"):
      guard size <= Self.extensionBytes else {
        throw Failure(.excessiveArchive, "the extended header of an entry has \(size) bytes, which is too much")
      }
      if size > 0 { extended = (kind, size, []) }
      skip(size)
    case 0, UInt8(ascii: "0"), UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4"),
      UInt8(ascii: "5"), UInt8(ascii: "6"):
      let isFile = kind == 0 || kind == UInt8(ascii: "0")
      guard isFile || size == 0 || recordedSize != nil else { throw ambiguous("an entry that is not a file has data") }
      skip(recordedSize ?? size)
      (recordedSize, hasLongName) = (nil, false)
    default:
      throw Failure(
        .forbiddenEntry,
        "only regular files and folders are allowed in an archive, no entry of the type \(Self.shown(kind))")
    }
  }

  /// Whether the bytes add up to what the header says, its own field counted as spaces; old programs add signed bytes.
  private static func hasChecksum(_ header: [UInt8]) -> Bool {
    let bytes = header[..<148] + Array(repeating: 0x20, count: 8) + header[156...]
    let sums = [bytes.reduce(0) { $0 + Int($1) }, bytes.reduce(0) { $0 + Int(Int8(bitPattern: $1)) }]
    return (try? number(header[148..<156])).map(sums.contains) ?? false
  }

  private static func shown(_ kind: UInt8) -> String {
    String(Unicode.Scalar(kind)).debugDescription
  }

  /// Jumps over data and what fills its last block.
  private func skip(_ size: Int) { toSkip = (size + Self.block - 1) / Self.block * Self.block }

  private func finishExtended() throws {
    guard let (kind, size, padded) = extended else { return }
    extended = nil
    let bytes = padded.prefix(size)
    if kind == UInt8(ascii: "L") {
      let name = bytes.last == 0 ? bytes.dropLast() : bytes
      guard !hasLongName, !name.contains(0) else {
        throw ambiguous("an entry has two names, or a zero byte in its name")
      }
      hasLongName = true
    } else {
      try read(records: bytes, ofAll: kind == UInt8(ascii: "g"))
    }
  }

  /// Records of pax: `25 path=folder/long name\n`.
  private func read(records: ArraySlice<UInt8>, ofAll: Bool) throws {
    var rest = records, seen: Set<String> = []
    while let space = rest.firstIndex(of: 0x20) {
      guard let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 2,
        length <= rest.count, rest[rest.startIndex + length - 1] == 0x0A
      else { throw ambiguous("the length of a record of an entry is wrong") }
      let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
      rest = rest[(rest.startIndex + length)...]
      guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
        throw ambiguous("a record of an entry has no value")
      }
      try read(String(decoding: record[..<equals], as: UTF8.self), record[(equals + 1)...], ofAll: ofAll, &seen)
    }
    guard rest.isEmpty else { throw ambiguous("there is something else after the records of an entry") }
  }

  private func read(_ key: String, _ value: ArraySlice<UInt8>, ofAll: Bool, _ seen: inout Set<String>) throws {
    let decides = ["path", "linkpath", "size", "hdrcharset"].contains(key) || key.hasPrefix("GNU.sparse.")
    guard decides else { return }
    guard !ofAll else { throw ambiguous("a record sets the \(key) of all entries after it") }
    guard seen.insert(key).inserted, !value.contains(0) else {
      throw ambiguous("the \(key) of an entry is given twice, or has a zero byte in it")
    }
    switch key {
    case "path":
      guard !hasLongName else { throw ambiguous("an entry has two names") }
      hasLongName = true
    case "size":
      guard let size = Int(String(decoding: value, as: UTF8.self)), size >= 0, size <= .max - 2 * Self.block else {
        throw ambiguous("the size of an entry is impossible")
      }
      recordedSize = size
    case "hdrcharset":
      guard value.elementsEqual("ISO-IR 10646 2000 UTF-8".utf8) else { throw ambiguous("the names are not in UTF-8") }
    case "linkpath": break
    default: throw Failure(.forbiddenEntry, "an entry is a sparse file")
    }
  }

  /// A number in octal digits, or in binary where its first bit is set.
  private static func number(_ field: ArraySlice<UInt8>) throws -> Int {
    if field[field.startIndex] & 0x80 != 0 {
      guard field.dropFirst().prefix(max(0, field.count - 9)).allSatisfy({ $0 == 0 }), field[field.startIndex] == 0x80
      else {
        return -1
      }
      return Int(truncatingIfNeeded: field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    let text = String(decoding: field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self)
    return text.isEmpty ? 0 : Int(text, radix: 8) ?? -1
  }
}
