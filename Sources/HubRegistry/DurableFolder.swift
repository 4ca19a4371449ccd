import Foundation
import HubArchive
import HubWords

import Glibc

/// Folders whose existence survives a power cut.
enum DurableFolder {
  /// Makes a folder, and what is missing above it, for this user alone whatever the umask says.
  static func make(_ path: String) throws {
    if mkdir(path, 0o700) == 0 {
      guard chmod(path, 0o700) == 0 else {
        throw Failure.system(.unwritableFile, "set the mode of the folder", at: path)
      }
      return try synchronize(parent(of: path))
    }
    switch errno {
    case EEXIST: _ = try OpenFile(folder: path)
    case ENOENT where path != parent(of: path):
      try make(parent(of: path))
      try make(path)
    default: throw Failure.system(.unwritableFile, "create the folder", at: path)
    }
  }

  /// Removes a file, or a folder with everything in it; no link is followed.
  static func remove(_ path: String) throws {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      guard try FileStatus.examining(path) == nil else { throw Failure(.unwritableFile, "cannot remove", at: path) }
    }
  }

  /// Writes the names in a folder to the disk.
  static func synchronize(_ path: String) throws { try OpenFile(folder: path).synchronize() }

  static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// What the file system says about a path, without following a link.
struct FileStatus {
  let status: stat

  /// `nil` if there is nothing.
  init?(_ path: String, followsLinks: Bool = false) {
    var status = stat()
    guard fstatat(AT_FDCWD, path, &status, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    self.status = status
  }

  /// `nil` if there is nothing; a disk that does not say is an error.
  static func examining(_ path: String, followsLinks: Bool = false) throws -> FileStatus? {
    if let status = FileStatus(path, followsLinks: followsLinks) { return status }
    guard errno == ENOENT || errno == ENOTDIR else { throw Failure.system(.unreadableFile, "examine", at: path) }
    return nil
  }

  init(_ file: OpenFile) throws { status = try file.status() }

  var isFile: Bool { status.st_mode & S_IFMT == S_IFREG }
  var isFolder: Bool { status.st_mode & S_IFMT == S_IFDIR }
  var mode: mode_t { status.st_mode & 0o7777 }
  var size: Int { Int(status.st_size) }

  var links: Int { Int(status.st_nlink) }

  /// Nanoseconds since 1970.
  var modified: Int {
    Self.nanoseconds(status.st_mtim)
  }

  /// Nanoseconds since 1970; unlike ``modified``, nobody can set it.
  private var changed: Int {
    Self.nanoseconds(status.st_ctim)
  }

  private static func nanoseconds(_ time: timespec) -> Int { Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec) }

  func isSameContent(as other: FileStatus) -> Bool {
    (status.st_dev, status.st_ino, size, changed) == (
      other.status.st_dev, other.status.st_ino, other.size, other.changed
    )
  }

  /// Whether users that are not this one may write, and may put another file in the place of ours.
  var isWritableByOthers: Bool {
    let isSticky = status.st_mode & S_ISVTX != 0
    let ownGroup = status.st_gid == getegid()
    return !isSticky && (mode & 0o002 != 0 || (mode & 0o020 != 0 && !ownGroup))
  }

  /// Whether it belongs to this user or to the system. The system's own user trusts everybody's.
  var isOwnedByUs: Bool { geteuid() == 0 || status.st_uid == 0 || status.st_uid == geteuid() }
}
