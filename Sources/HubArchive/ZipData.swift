import CZlib
import HubWords

/// The packed data of one entry of a zip file, read to its end and compared with what the directory says of it.
///
/// libarchive stops where the deflate stream ends. What could stand after it would be data to other programs.
struct ZipData {
  let offset: Int
  let packed: Int
  let unpacked: Int
  let checksum: Int
  let isDeflated: Bool

  /// - Throws: ``Failure/Code/damagedArchive``, or ``Failure/Code/ambiguousArchive`` where the data has another length
  ///   than the directory says.
  func check(_ source: SourceStream) throws {
    guard isDeflated else {
      guard packed == unpacked else {
        throw Failure(.ambiguousArchive, "an uncompressed entry has two different sizes")
      }
      return
    }
    var state = z_stream()
    guard inflateInit2_(&state, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Failure(.damagedArchive, "cannot start to decompress")
    }
    defer { inflateEnd(&state) }
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 16)
    defer {
      input.deallocate()
      output.deallocate()
    }
    var position = 0, count = 0, sum = crc32(0, nil, 0), isFinished = false
    while !isFinished {
      if state.avail_in == 0, position < packed {
        let part = UnsafeMutableRawBufferPointer(rebasing: input[..<min(input.count, packed - position)])
        let read = try source.read(into: part, at: offset + position)
        guard read == part.count else {
          throw Failure(.truncatedArchive, "an entry reaches beyond the end of the zip file")
        }
        position += read
        state.next_in = part.bindMemory(to: UInt8.self).baseAddress
        state.avail_in = UInt32(read)
      }
      state.next_out = output.baseAddress
      state.avail_out = UInt32(output.count)
      let status = inflate(&state, Z_NO_FLUSH), made = output.count - Int(state.avail_out)
      guard status == Z_OK || status == Z_STREAM_END else {
        throw Failure(.damagedArchive, "the packed data is damaged")
      }
      sum = crc32(sum, output.baseAddress, UInt32(made))
      count += made
      isFinished = status == Z_STREAM_END
      guard count <= unpacked else { break }
      guard isFinished || made > 0 || state.avail_in > 0 || position < packed else {
        throw Failure(.damagedArchive, "the packed data has no end marker")
      }
    }
    guard isFinished, count == unpacked, position == packed, state.avail_in == 0 else {
      throw Failure(.ambiguousArchive, "the length of the packed data differs from what the directory says")
    }
    guard Int(sum) == checksum else {
      throw Failure(.damagedArchive, "the checksum of the data differs from what the directory says")
    }
  }
}
