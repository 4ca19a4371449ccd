public import HubWords

package import Glibc

extension Failure.Code {
  /// No such file or folder.
  public static let missingFile = Self("file/not-found", .notFound)
  /// A file cannot be opened or read.
  public static let unreadableFile = Self("file/unreadable", .inputOutput)
  /// A file or folder cannot be made or written.
  public static let unwritableFile = Self("file/cannot-create", .cannotCreate)
  /// A link, device, socket or folder stands where a regular file should.
  public static let irregularFile = Self("file/not-regular", .refused)
}

extension Failure {
  /// What the system said, from `errno`.
  package static func system(_ code: Code, _ action: String, at path: String?) -> Failure {
    let number = errno
    let reason = String(cString: strerror(number))
    return Failure(number == ENOENT ? .missingFile : code, "cannot \(action): \(reason.lowercased())", at: path)
  }
}

/// An open file that closes itself.
package final class OpenFile: Sendable {
  package let descriptor: Int32
  package let path: String

  private init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Opens a regular file for reading.
  ///
  /// - Parameter followsLinks: true for what the user named, whose folders may be made of links; false for what an
  ///   archive or a bundle brought along.
  package convenience init(reading path: String, in folder: OpenFile? = nil, followsLinks: Bool = true) throws {
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW)
    let descriptor = openat(folder?.descriptor ?? AT_FDCWD, path, flags)
    guard descriptor >= 0 else {
      throw errno == ELOOP
        ? Failure(.irregularFile, "expected a file, found a link", at: path)
        : Failure.system(.unreadableFile, "open the file", at: path)
    }
    self.init(descriptor: descriptor, path: path)
    guard try status().st_mode & S_IFMT == S_IFREG else {
      throw Failure(.irregularFile, "not a regular file", at: path)
    }
  }

  /// Opens a folder, to reach files below it.
  package convenience init(folder path: String, in parent: OpenFile? = nil) throws {
    let flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY | (parent == nil ? 0 : O_NOFOLLOW)
    let descriptor = openat(parent?.descriptor ?? AT_FDCWD, path, flags)
    guard descriptor >= 0 else { throw Failure.system(.unreadableFile, "open the folder", at: path) }
    self.init(descriptor: descriptor, path: path)
  }

  /// Makes a file that must not be there yet, with this mode whatever the umask.
  package convenience init(creating path: String, in folder: OpenFile? = nil, mode: mode_t = 0o644) throws {
    let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let descriptor = openat(folder?.descriptor ?? AT_FDCWD, path, flags, mode)
    guard descriptor >= 0 else { throw Failure.system(.unwritableFile, "create the file", at: path) }
    self.init(descriptor: descriptor, path: path)
    guard fchmod(descriptor, mode) == 0 else { throw Failure.system(.unwritableFile, "set the mode", at: path) }
  }

  package func status() throws -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system(.unreadableFile, "examine the file", at: path) }
    return status
  }

  package func size() throws -> Int { Int(try status().st_size) }

  /// Reads at an offset until the buffer is full or the file ends; returns the bytes read.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    var count = 0
    while count < buffer.count {
      let result = pread(
        descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count, off_t(offset + count))
      if result < 0 && errno == EINTR { continue }
      guard result >= 0 else { throw Failure.system(.unreadableFile, "read the file", at: path) }
      if result == 0 { break }
      count += result
    }
    return count
  }

  /// The contents, cut one byte after `limit`: enough for a reader that refuses more.
  package func bytes(limit: Int) throws -> [UInt8] {
    let count = min(try size(), limit + 1)
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = try read(
        into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])), at: 0)
    }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    var written = 0
    while written < bytes.count {
      let result = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else { throw Failure.system(.unwritableFile, "write the file", at: path) }
      written += result
    }
  }

  package func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw Failure.system(.unwritableFile, "write to the disk", at: path) }
  }
}

/// A path cut at its last `/`. It is a byte: as a `Character` it may be one with a mark that follows it.
package struct PathParts {
  /// Where the file lies; `.` if the path does not say.
  package let folder: String
  package let name: String

  package init(_ path: String) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// A hidden name in the same folder that nobody else uses.
  package var temporaryPath: String {
    "\(folder)/.\(name.prefix(50)).\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp"
  }
}

/// A file that appears under its name only when it is complete and on the disk; given up, it leaves nothing.
package final class AtomicFile {
  package let file: OpenFile
  private let path: String
  private let folder: String
  private var isCommitted = false

  package init(_ path: String) throws {
    let parts = PathParts(path)
    guard !parts.name.isEmpty else { throw Failure(.unwritableFile, "the path has no file name", at: path) }
    self.path = path
    folder = parts.folder
    file = try OpenFile(creating: parts.temporaryPath)
  }

  deinit { if !isCommitted { unlink(file.path) } }

  /// Writes a whole file, in the place of another if there is one.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let output = try AtomicFile(path)
    try bytes.withUnsafeBytes { try output.file.write($0) }
    try output.commit()
  }

  package func commit() throws {
    try file.synchronize()
    guard rename(file.path, path) == 0 else { throw Failure.system(.unwritableFile, "rename into place", at: path) }
    isCommitted = true
    try OpenFile(folder: folder).synchronize()
  }
}
