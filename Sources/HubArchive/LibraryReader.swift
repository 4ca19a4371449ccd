import CArchive
public import HubWords

import Glibc

extension Failure.Code {
  /// An archive does not follow its format: a wrong checksum, length or header.
  public static let damagedArchive = Self("archive/damaged", .badData)
  /// An archive ends before its end.
  public static let truncatedArchive = Self("archive/truncated", .badData)
  /// Neither a zip nor a tar file, plain or in one layer of gzip or zstd.
  public static let unknownArchive = Self("archive/unknown-format", .badData)
}

/// libarchive's reader over a ``ByteStream``, with one format enabled and every warning an error.
final class LibraryReader {
  enum Format {
    case zip, tar
    /// Not an archive: one layer of zstd around anything.
    case zstdData
  }

  private let handle: OpaquePointer
  private let feed: Feed

  init(_ format: Format, stream: any ByteStream) throws {
    guard let handle = archive_read_new() else { throw Failure(.damagedArchive, "cannot start to read an archive") }
    self.handle = handle
    feed = Feed(stream)
    switch format {
    case .zip: try check(archive_read_support_format_zip_seekable(handle))
    case .tar: try check(archive_read_support_format_tar(handle))
    case .zstdData:
      try check(archive_read_support_filter_zstd(handle))
      try check(archive_read_support_format_raw(handle))
    }
    archive_read_set_callback_data(handle, Unmanaged.passUnretained(feed).toOpaque())
    archive_read_set_read_callback(handle) { _, context, target in
      guard let context, let target else { return -1 }
      return Feed.attempt(context) { feed in
        let piece = try feed.next()
        target.pointee = piece.baseAddress
        return piece.count
      }
    }
    if stream.count != nil {
      archive_read_set_seek_callback(handle) { _, context, offset, origin in
        guard let context else { return -1 }
        return Int64(Feed.attempt(context) { try $0.seek(Int(offset), origin) })
      }
    }
    try withUTF8Locale { try check(archive_read_open1(handle)) }
  }

  deinit { archive_read_free(handle) }

  /// Decompression layers, and nothing else, that libarchive put in front.
  var filterCount: Int { Int(archive_filter_count(handle)) - 1 }

  /// The next header, `nil` at the end. Valid until the next call.
  func nextHeader() throws -> LibraryEntry? {
    var entry: OpaquePointer?
    let status = try withUTF8Locale {
      let status = archive_read_next_header(handle, &entry)
      if status != ARCHIVE_EOF { try check(status) }
      return status
    }
    guard status != ARCHIVE_EOF, let entry else { return nil }
    return LibraryEntry(pointer: entry)
  }

  /// The next piece of the current entry, `nil` at its end; `offset` is where libarchive says that it belongs.
  func nextData() throws -> (bytes: UnsafeRawBufferPointer, offset: Int)? {
    var pointer: UnsafeRawPointer?
    var count = 0
    var offset: Int64 = 0
    let status = archive_read_data_block(handle, &pointer, &count, &offset)
    if status == ARCHIVE_EOF { return nil }
    try check(status)
    return (UnsafeRawBufferPointer(start: pointer, count: count), Int(offset))
  }

  /// After the last entry of a tar file: its end marker must be whole, and nothing but zeros may follow.
  func checkTarEnd() throws {
    while try !feed.next().isEmpty {}
    let end = Int(archive_read_header_position(handle))
    guard feed.delivered - end >= 1024, feed.delivered % 512 == 0 else {
      throw Failure(.truncatedArchive, "the tar archive has no complete end marker")
    }
    guard feed.nonZeroEnd <= end else { throw Failure(.damagedArchive, "there is data after the end of the archive") }
  }

  private func check(_ status: Int32) throws {
    guard status != ARCHIVE_OK else { return }
    if let failure = feed.failure { throw failure }
    let reason = archive_error_string(handle).map { String(cString: $0) } ?? "unknown error"
    if reason.hasPrefix("Unrecognized archive format") {
      throw Failure(
        .unknownArchive, "not a kind of archive that Dovetail reads",
        hint: "it reads zip, tar, tar with gzip and tar with zstd")
    }
    throw Failure(
      .damagedArchive, "the archive is damaged (\(reason.prefix(1).lowercased() + reason.dropFirst().prefix(200)))")
  }
}

/// What libarchive's callbacks see.
private final class Feed {
  let stream: any ByteStream
  var failure: Failure?
  var delivered = 0
  /// One past the last byte that is not zero, of all that were delivered.
  var nonZeroEnd = 0

  init(_ stream: any ByteStream) { self.stream = stream }

  func next() throws -> UnsafeRawBufferPointer {
    let piece = try stream.next()
    if let last = piece.lastIndex(where: { $0 != 0 }) { nonZeroEnd = delivered + last + 1 }
    delivered += piece.count
    return piece
  }

  func seek(_ offset: Int, _ origin: Int32) throws -> Int {
    guard let count = stream.count else { throw Failure(.damagedArchive, "cannot move back in the archive") }
    let base = origin == SEEK_END ? count : origin == SEEK_CUR ? delivered : 0
    let (target, overflow) = base.addingReportingOverflow(offset)
    guard !overflow, (0...count).contains(target), stream.seek(to: target) else {
      throw Failure(.damagedArchive, "the archive points outside itself")
    }
    delivered = target
    return target
  }

  /// Runs `body` for a callback: a failure is kept, and told to libarchive as a status.
  static func attempt(_ context: UnsafeMutableRawPointer, _ body: (Feed) throws -> Int) -> Int {
    let feed = Unmanaged<Feed>.fromOpaque(context).takeUnretainedValue()
    do {
      return try body(feed)
    } catch {
      feed.failure = error as? Failure ?? Failure(.damagedArchive, "\(error)")
      return Int(ARCHIVE_FATAL)
    }
  }
}

/// The header of an entry as libarchive reads it; nothing in it is to be trusted.
struct LibraryEntry {
  let pointer: OpaquePointer

  private static let kinds: mode_t = 0o170000

  /// The bytes of the name.
  var name: [UInt8]? {
    archive_entry_pathname(pointer).map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
  }
  var isFile: Bool { isPlain && archive_entry_filetype(pointer) & Self.kinds == S_IFREG }
  var isFolder: Bool { isPlain && archive_entry_filetype(pointer) & Self.kinds == S_IFDIR }
  var size: Int? { archive_entry_size_is_set(pointer) != 0 ? Int(archive_entry_size(pointer)) : nil }

  private var isPlain: Bool {
    archive_entry_hardlink(pointer) == nil && archive_entry_symlink(pointer) == nil
      && archive_entry_sparse_count(pointer) == 0 && archive_entry_is_encrypted(pointer) == 0
  }
}

/// Runs libarchive where names are UTF-8. It converts names to the locale of the thread; the program's own, which
/// may be `C`, stays as it is.
func withUTF8Locale<Result>(_ body: () throws -> Result) rethrows -> Result {
  guard let locale = UTF8Locale.shared.locale else { return try body() }
  let previous = uselocale(locale)
  defer { _ = uselocale(previous) }
  return try body()
}

/// A locale made once and never freed or changed, which is what makes it safe to share.
private struct UTF8Locale: @unchecked Sendable {
  static let shared = UTF8Locale()
  let locale: locale_t?

  init() {
    let mask = Int32(1) << LC_CTYPE
    locale = newlocale(mask, "C.UTF-8", nil) ?? newlocale(mask, "en_US.UTF-8", nil)
  }
}
