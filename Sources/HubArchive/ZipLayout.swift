public import HubWords

extension Failure.Code {
  /// Two programs could see two different contents in a zip file: headers that disagree, gaps, overlaps, or data
  /// in front of it or after it.
  public static let ambiguousArchive = Self("archive/ambiguous", .refused)
}

/// The bytes of a zip file, all of them accounted for.
///
/// A zip file says everything twice, in a directory at its end and in front of each entry. libarchive reads one and
/// other programs the other; here both must agree, and entries, directory and end record must follow each other
/// without a gap, from the first byte of the file to the last.
struct ZipLayout {
  private struct Record {
    var name: [UInt8] = []
    var flags = 0
    var method = 0
    var checksum = 0
    var packed = 0
    var unpacked = 0
    var offset = 0
  }

  private static let full32 = 0xFFFF_FFFF
  private static let isEncrypted = 0x2041
  private static let hasDescriptor = 0x0008

  private let source: SourceStream
  private let count: Int

  /// - Returns: the names in the directory, to which libarchive's must be equal.
  /// - Throws: ``Failure/Code/ambiguousArchive``, ``Failure/Code/truncatedArchive`` or
  ///   ``Failure/Code/excessiveArchive``.
  static func check(_ source: SourceStream, limits: ArchiveLimits) throws -> Set<[UInt8]> {
    let layout = ZipLayout(source: source, count: source.count ?? 0)
    let directory = try layout.directory(limits: limits)
    let records = try layout.records(directory)
    try layout.checkSizes(records, limits)
    var end = 0
    for record in records.sorted(by: { $0.offset < $1.offset }) {
      guard record.offset == end else {
        throw layout.ambiguous("entries overlap, or there are bytes between them", record.name)
      }
      end = try layout.end(of: record)
    }
    guard end == directory.range.lowerBound else {
      throw layout.ambiguous("there are bytes between the entries and the directory")
    }
    return Set(records.map(\.name))
  }

  /// What the directory says will come out, before anything does: that nothing else does is seen when it is read.
  private func checkSizes(_ records: [Record], _ limits: ArchiveLimits) throws {
    let budget = try Budget(limits, archiveBytes: count)
    for record in records { try budget.spend(record.unpacked) }
  }

  private func ambiguous(_ message: String, _ name: [UInt8]? = nil) -> Failure {
    Failure(.ambiguousArchive, message, at: name.map { EntryName.escaped(String(decoding: $0, as: UTF8.self)) })
  }

  // MARK: The end of the file

  /// Where the directory lies and how many entries it has.
  private func directory(limits: ArchiveLimits) throws -> (range: Range<Int>, entries: Int) {
    let tailCount = min(count, 22 + 0xFFFF)
    let tail = Fields(try source.bytes(at: count - tailCount, count: tailCount))
    guard tailCount >= 22, let start = (0...tailCount - 22).last(where: { tail[$0, 4] == 0x0605_4B50 }) else {
      throw Failure(.truncatedArchive, "the zip file has no end record")
    }
    guard tail[start + 20, 2] == tailCount - start - 22 else {
      throw ambiguous("there are bytes after the end of the zip file")
    }
    let recordOffset = count - tailCount + start
    var (entries, size, offset) = (tail[start + 10, 2], tail[start + 12, 4], tail[start + 16, 4])
    var end = recordOffset
    guard tail[start + 4, 4] == 0, tail[start + 8, 2] == entries else {
      throw ambiguous("the zip file is one of several parts")
    }
    if let large = try zip64Record(before: recordOffset) {
      guard [large.entries, 0xFFFF].contains(entries), [large.size, Self.full32].contains(size),
        [large.offset, Self.full32].contains(offset)
      else { throw ambiguous("the two end records disagree") }
      (entries, size, offset, end) = (large.entries, large.size, large.offset, large.start)
    }
    guard entries <= limits.entries else {
      throw Failure(.excessiveArchive, "the archive has more than \(limits.entries) entries")
    }
    guard offset >= 0, size >= 0, offset <= end, size == end - offset else {
      throw ambiguous("the directory is not where the end record says")
    }
    guard size <= entries * (46 + limits.nameBytes + 0x2_0000) else { throw ambiguous("the directory is too large") }
    return (offset..<end, entries)
  }

  /// The end record of large files, which stands in front of the usual one.
  private func zip64Record(before end: Int) throws -> (start: Int, entries: Int, size: Int, offset: Int)? {
    guard end >= 76 else { return nil }
    let locator = Fields(try source.bytes(at: end - 20, count: 20))
    guard locator[0, 4] == 0x0706_4B50 else { return nil }
    let start = end - 76
    let record = Fields(try source.bytes(at: start, count: 56))
    guard locator[4, 4] == 0, locator[8, 8] == start, locator[16, 4] == 1, record[0, 4] == 0x0606_4B50,
      record[4, 8] == 44,
      record[16, 8] == 0, record[24, 8] == record[32, 8]
    else { throw ambiguous("the end record of a large zip file is malformed") }
    return (start, record[32, 8], record[40, 8], record[48, 8])
  }

  // MARK: The directory

  private func records(_ directory: (range: Range<Int>, entries: Int)) throws -> [Record] {
    let fields = Fields(try source.bytes(at: directory.range.lowerBound, count: directory.range.count))
    var records: [Record] = []
    var position = 0
    for _ in 0..<directory.entries {
      guard fields.bytes.count - position >= 46, fields[position, 4] == 0x0201_4B50 else {
        throw ambiguous("the directory is too short")
      }
      let lengths = [fields[position + 28, 2], fields[position + 30, 2], fields[position + 32, 2]]
      let end = position + 46 + lengths.reduce(0, +)
      guard end <= fields.bytes.count else { throw ambiguous("the directory is too short") }
      var record = Record()
      record.flags = fields[position + 8, 2]
      record.method = fields[position + 10, 2]
      (record.checksum, record.packed, record.unpacked) = (
        fields[position + 16, 4], fields[position + 20, 4], fields[position + 24, 4]
      )
      record.offset = fields[position + 42, 4]
      let nameEnd = position + 46 + lengths[0]
      record.name = Array(fields.bytes[position + 46..<nameEnd])
      try widen(&record, extra: Fields(Array(fields.bytes[nameEnd..<nameEnd + lengths[1]])))
      guard record.flags & Self.isEncrypted == 0, record.method == 0 || record.method == 8,
        fields[position + 34, 2] == 0
      else {
        throw Failure(
          .forbiddenEntry, "the entry is encrypted, or compressed in an unusual way",
          at: EntryName.escaped(String(decoding: record.name, as: UTF8.self)))
      }
      // A zero byte ends a name in C, and a backslash is a folder to some programs, libarchive among them.
      guard !record.name.contains(0), !record.name.contains(UInt8(ascii: "\\")) else {
        throw Failure(
          .unsafeEntryName, "the name of an entry holds a zero byte or a backslash",
          at: EntryName.escaped(String(decoding: record.name, as: UTF8.self)))
      }
      guard min(record.packed, record.unpacked, record.offset) >= 0 else {
        throw ambiguous("a size is impossible", record.name)
      }
      records.append(record)
      position = end
    }
    guard position == fields.bytes.count else { throw ambiguous("there are bytes after the directory") }
    return records
  }

  /// Takes what does not fit 32 bits from the extra field 1, in the order of the format.
  private func widen(_ record: inout Record, extra: Fields) throws {
    var position = 0
    while extra.bytes.count - position >= 4 {
      let (kind, size) = (extra[position, 2], extra[position + 2, 2])
      var field = position + 4
      let end = field + size
      guard end <= extra.bytes.count else { throw ambiguous("an extra field is too short", record.name) }
      guard kind != 0x7075 else { throw ambiguous("an entry has a second name", record.name) }
      if kind == 1 {
        for path in [\Record.unpacked, \Record.packed, \Record.offset]
        where record[keyPath: path] == Self.full32 && field + 8 <= end {
          record[keyPath: path] = extra[field, 8]
          field += 8
        }
      }
      position = end
    }
  }

  // MARK: The entries

  /// Compares the header in front of an entry with the directory; returns where the entry ends.
  private func end(of record: Record) throws -> Int {
    let header = Fields(try source.bytes(at: record.offset, count: 30))
    let (nameCount, extraCount) = (header[26, 2], header[28, 2])
    let name = try source.bytes(at: record.offset + 30, count: nameCount)
    guard header[0, 4] == 0x0403_4B50, name == record.name, header[6, 2] == record.flags, header[8, 2] == record.method
    else {
      throw ambiguous("an entry and the zip directory disagree", record.name)
    }
    let hasDescriptor = record.flags & Self.hasDescriptor != 0
    func agrees(_ local: Int, _ central: Int) -> Bool {
      local == central || local == Self.full32 || (hasDescriptor && local == 0)
    }
    guard agrees(header[14, 4], record.checksum), agrees(header[18, 4], record.packed),
      agrees(header[22, 4], record.unpacked)
    else {
      throw ambiguous("an entry and the zip directory disagree", record.name)
    }
    let dataStart = record.offset + 30 + nameCount + extraCount
    guard dataStart <= count, record.packed <= count - dataStart else {
      throw Failure(.truncatedArchive, "an entry reaches beyond the end of the zip file")
    }
    let end = dataStart + record.packed
    let data = ZipData(
      offset: dataStart, packed: record.packed, unpacked: record.unpacked, checksum: record.checksum,
      isDeflated: record.method == 8)
    try locating(EntryName.escaped(String(decoding: record.name, as: UTF8.self))) { try data.check(source) }
    return hasDescriptor ? try end + descriptorCount(at: end, record) : end
  }

  /// The bytes of the sizes that may follow an entry, with or without a signature, in 32 or 64 bits.
  private func descriptorCount(at offset: Int, _ record: Record) throws -> Int {
    for signature in [4, 0] {
      for width in [4, 8] where signature + 4 + 2 * width <= count - offset {
        let fields = Fields(try source.bytes(at: offset, count: signature + 4 + 2 * width))
        let matches =
          (signature == 0 || fields[0, 4] == 0x0807_4B50) && fields[signature, 4] == record.checksum
          && fields[signature + 4, width] == record.packed && fields[signature + 4 + width, width] == record.unpacked
        // A 32-bit record whose sizes fit is also the beginning of a 64-bit one only if what follows is zero.
        if matches, try isBoundary(offset + fields.bytes.count) { return fields.bytes.count }
      }
    }
    throw ambiguous("the sizes after an entry and those in the zip directory disagree", record.name)
  }

  /// True where a header of an entry or of the directory begins.
  private func isBoundary(_ offset: Int) throws -> Bool {
    guard count - offset >= 4 else { return false }
    let signature = try source.bytes(at: offset, count: 4)
    return signature == [0x50, 0x4B, 3, 4] || signature == [0x50, 0x4B, 1, 2]
  }
}

/// Little-endian integers in bytes whose bounds the caller has checked.
private struct Fields {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// An unsigned integer of at most 8 bytes; what does not fit an `Int` is `Int.max`, larger than any file.
  subscript(offset: Int, width: Int) -> Int {
    let value = bytes[offset..<offset + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value) ?? .max
  }
}
