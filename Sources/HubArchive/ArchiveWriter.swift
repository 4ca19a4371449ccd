import CArchive
public import HubWords

extension Failure.Code {
  /// libarchive could not write.
  public static let unwritableArchive = Self("archive/cannot-write", .cannotCreate)
}

/// How an archive is compressed.
public enum Compression: String, Sendable, CaseIterable {
  case zstd, gzip, none
}

/// Writes a tar file that depends on the names, the contents and their order only: no times, owners or modes.
///
/// The file appears under its name when ``finish()`` returns, complete and on the disk; given up before, the
/// writer leaves nothing behind.
public final class ArchiveWriter {
  private let output: AtomicFile
  private let handle: OpaquePointer
  private var names = EntryNames()

  /// - Throws: ``Failure`` with ``Failure/Code/unwritableFile`` or ``Failure/Code/unwritableArchive``.
  public init(file path: String, compression: Compression = .zstd) throws {
    output = try AtomicFile(path)
    guard let handle = archive_write_new() else {
      throw Failure(.unwritableArchive, "cannot start to write an archive")
    }
    self.handle = handle
    // No padding at the end: a file that lost its last byte is then not whole.
    try check(archive_write_set_bytes_per_block(handle, 1 << 16))
    try check(archive_write_set_bytes_in_last_block(handle, 1))
    switch compression {
    case .zstd:
      try check(archive_write_add_filter_zstd(handle))
      try check(archive_write_set_filter_option(handle, "zstd", "compression-level", "3"))
    case .gzip:
      try check(archive_write_add_filter_gzip(handle))
      try check(archive_write_set_filter_option(handle, "gzip", "compression-level", "6"))
      try check(archive_write_set_filter_option(handle, "gzip", "timestamp", nil))
    case .none: try check(archive_write_add_filter_none(handle))
    }
    try check(archive_write_set_format_pax_restricted(handle))
    try check(archive_write_open_fd(handle, output.file.descriptor))
  }

  deinit { archive_write_free(handle) }

  /// Adds a file with these bytes.
  ///
  /// - Throws: ``Failure`` if it cannot be written.
  public func add(_ name: EntryName, bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try add(name, buffer: $0) }
  }

  /// Adds a file whose contents lie in memory or are mapped.
  public func add(_ name: EntryName, buffer: UnsafeRawBufferPointer) throws {
    try addHeader(name, size: buffer.count)
    var rest = buffer[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 16))
      guard archive_write_data(handle, piece.baseAddress, piece.count) == piece.count else { throw failure() }
      rest = rest.dropFirst(piece.count)
    }
  }

  /// Completes the archive and gives it its name.
  public func finish() throws {
    try check(archive_write_close(handle))
    try output.commit()
  }

  private func addHeader(_ name: EntryName, size: Int) throws {
    try names.insert(name, isFolder: false)
    guard let entry = archive_entry_new() else { throw Failure(.unwritableArchive, "out of memory") }
    defer { archive_entry_free(entry) }
    try withUTF8Locale {
      archive_entry_set_pathname_utf8(entry, name.text)
      archive_entry_set_size(entry, Int64(size))
      archive_entry_set_filetype(entry, 0o100000)
      archive_entry_set_perm(entry, 0o644)
      archive_entry_set_mtime(entry, 0, 0)
      try check(archive_write_header(handle, entry))
    }
  }

  private func check(_ status: Int32) throws {
    guard status == ARCHIVE_OK else { throw failure() }
  }

  private func failure() -> Failure {
    let reason = archive_error_string(handle).map { String(cString: $0) } ?? "unknown error"
    return Failure(.unwritableArchive, "cannot write the archive (\(reason))", at: output.file.path)
  }
}
