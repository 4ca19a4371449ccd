import CZlib
import HubWords

/// Bytes that come in pieces, as libarchive takes them.
protocol ByteStream: AnyObject {
  /// The next piece, valid until the next call; empty at the end.
  func next() throws -> UnsafeRawBufferPointer
  /// Continues at an offset from the beginning; false where the stream cannot go back.
  func seek(to offset: Int) -> Bool
  /// The count of all bytes, where it is known.
  var count: Int? { get }
}

/// Bytes of a file or of memory, read in pieces of 64 KiB.
final class SourceStream: ByteStream {
  private enum Source {
    case file(OpenFile)
    case memory([UInt8])
  }
  private let source: Source
  private let length: Int
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
  private var offset = 0

  init(_ file: OpenFile) throws {
    source = .file(file)
    length = try file.size()
  }

  init(_ bytes: [UInt8]) {
    source = .memory(bytes)
    length = bytes.count
  }

  deinit { buffer.deallocate() }

  var count: Int? { length }

  func seek(to offset: Int) -> Bool {
    self.offset = min(max(offset, 0), length)
    return true
  }

  func next() throws -> UnsafeRawBufferPointer {
    let count = try read(into: buffer, at: offset)
    offset += count
    return UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }

  /// Copies what there is at `offset`, at most to the end the file had when it was opened.
  func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    let count = max(0, min(target.count, length - offset))
    guard count > 0 else { return 0 }
    let part = UnsafeMutableRawBufferPointer(rebasing: target[..<count])
    switch source {
    case .file(let file): return try file.read(into: part, at: offset)
    case .memory(let bytes):
      bytes.withUnsafeBytes { part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
      return count
    }
  }

  /// A copy of the bytes at `offset`; throws if they are not all there.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= length, count <= length - offset else {
      throw Failure(.truncatedArchive, "the archive ends too early")
    }
    var copied = 0
    let result = try [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      copied = try read(
        into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<count]), at: offset)
      initialized = copied
    }
    guard copied == count else { throw Failure(.truncatedArchive, "the archive ends too early") }
    return result
  }
}

/// The contents of a gzip file, whose checksums and end are checked: libarchive's own filter looks at neither.
final class GzipStream: ByteStream {
  private let source: any ByteStream
  /// What may come out; `nil` where nothing is kept of it.
  private let budget: Budget?
  private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 16)
  private var isInsideMember = true

  init(_ source: any ByteStream, budget: Budget?) throws {
    self.source = source
    self.budget = budget
    state.initialize(to: z_stream())
    let gzipOnly: Int32 = 15 + 16
    guard inflateInit2_(state, gzipOnly, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Failure(.damagedArchive, "cannot start to decompress")
    }
  }

  deinit {
    inflateEnd(state)
    state.deallocate()
    buffer.deallocate()
  }

  var count: Int? { nil }
  func seek(to offset: Int) -> Bool { false }

  func next() throws -> UnsafeRawBufferPointer {
    while true {
      if state.pointee.avail_in == 0 {
        let input = try source.next()
        if input.isEmpty {
          guard !isInsideMember else { throw Failure(.truncatedArchive, "the gzip data ends too early") }
          return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        // zlib declares its input mutable and does not write to it.
        state.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        state.pointee.avail_in = UInt32(input.count)
      }
      let count = try inflateOnce()
      if count > 0 {
        try budget?.spend(count)
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
      }
    }
  }

  private func inflateOnce() throws -> Int {
    if !isInsideMember {
      inflateReset(state)
      isInsideMember = true
    }
    state.pointee.next_out = buffer.baseAddress
    state.pointee.avail_out = UInt32(buffer.count)
    switch inflate(state, Z_NO_FLUSH) {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isInsideMember = false
    default: throw Failure(.damagedArchive, "the gzip data is damaged")
    }
    return buffer.count - Int(state.pointee.avail_out)
  }
}

/// The contents of a zstd file, decompressed by libarchive.
final class ZstdStream: ByteStream {
  private let reader: LibraryReader
  private let budget: Budget

  init(_ source: SourceStream, budget: Budget) throws {
    self.budget = budget
    let head = try source.bytes(at: 0, count: min(source.count ?? 0, 18))
    guard Self.window(head) <= InputLimits.zstdWindow else {
      throw Failure(.excessiveArchive, "the zstd data needs a window of more than \(InputLimits.zstdWindow) bytes")
    }
    reader = try LibraryReader(.zstdData, stream: source)
    guard try reader.nextHeader() != nil, reader.filterCount == 1 else {
      throw Failure(.damagedArchive, "the zstd data is empty, or compressed more than once")
    }
  }

  /// The window that the header of a frame asks for (RFC 8878, 3.1.1.1); 0 if the header is cut off.
  private static func window(_ head: [UInt8]) -> Int {
    guard head.count > 5 else { return 0 }
    let descriptor = Int(head[4])
    let isSingleSegment = descriptor & 0x20 != 0
    guard isSingleSegment else {
      let base = 1 << (10 + Int(head[5] >> 3))
      return base + base / 8 * (Int(head[5]) & 7)
    }
    let start = 5 + [0, 1, 2, 4][descriptor & 3]
    let width = [1, 2, 4, 8][descriptor >> 6]
    guard head.count >= start + width else { return 0 }
    let size = head[start..<start + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: size) ?? .max
  }

  var count: Int? { nil }
  func seek(to offset: Int) -> Bool { false }

  func next() throws -> UnsafeRawBufferPointer {
    while let piece = try reader.nextData() {
      guard !piece.bytes.isEmpty else { continue }
      try budget.spend(piece.bytes.count)
      return piece.bytes
    }
    return UnsafeRawBufferPointer(start: nil, count: 0)
  }
}
