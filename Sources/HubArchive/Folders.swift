public import HubWords

import Glibc

extension Failure.Code {
  /// Something stands already where a file or folder should be made.
  public static let existingFile = Self("file/exists", .cannotCreate)
}

extension OpenFile {
  /// Opens a file below a folder, component by component, so that no link on the way can lead out of it.
  package convenience init(reading name: EntryName, below root: OpenFile) throws {
    var folder = root
    for component in name.components.dropLast() {
      folder = try locating(name.text) { try OpenFile(folder: component, in: folder) }
    }
    try self.init(reading: name.last, in: folder, followsLinks: false)
  }

  /// Everything below this folder, each folder before what it holds.
  ///
  /// - Throws: ``Failure/Code/irregularFile`` for anything but files and folders, and what ``EntryName`` and
  ///   ``ArchiveLimits`` refuse.
  package func contents(limits: ArchiveLimits = ArchiveLimits()) throws -> [(name: EntryName, isFolder: Bool)] {
    var names = EntryNames()
    var found: [(name: EntryName, isFolder: Bool)] = []
    var waiting: [(prefix: String, folder: OpenFile)] = [("", self)]
    while let (prefix, folder) = waiting.popLast() {
      for child in try folder.childNames() {
        let name = try EntryName(prefix + child, limits: limits)
        let isFolder = try folder.isFolder(child, at: name.text)
        try names.insert(name, isFolder: isFolder)
        found.append((name, isFolder))
        guard found.count <= limits.entries else {
          throw Failure(.excessiveArchive, "the folder holds more than \(limits.entries) files", at: path)
        }
        if isFolder { waiting.append((name.text + "/", try OpenFile(folder: child, in: folder))) }
      }
    }
    return found
  }

  /// The names of what is in this folder, in the order of their bytes.
  package func childNames() throws -> [String] {
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else {
      throw Failure.system(.unreadableFile, "list the folder", at: path)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      // That is how the end is told from an error.
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(validating: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard let name else { throw Failure(.unsafeEntryName, "the name of a file is not UTF-8", at: path) }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw Failure.system(.unreadableFile, "list the folder", at: path) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private func isFolder(_ child: String, at name: String) throws -> Bool {
    var status = stat()
    guard fstatat(descriptor, child, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw Failure.system(.unreadableFile, "examine the file", at: name)
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return true
    case S_IFREG: return false
    default: throw Failure(.irregularFile, "neither a file nor a folder", at: name)
    }
  }

  /// Writes a folder and everything below it to the disk.
  fileprivate func synchronizeAll() throws {
    for child in try childNames() {
      if try isFolder(child, at: child) {
        try OpenFile(folder: child, in: self).synchronizeAll()
      } else {
        try OpenFile(reading: child, in: self, followsLinks: false).synchronize()
      }
    }
    try synchronize()
  }
}

/// A folder that appears under its name only when it is complete and on the disk; given up, it leaves nothing.
package final class StagedFolder {
  /// Where to write until ``publish()``.
  package let path: String
  /// The name that it gets.
  package let target: String
  private let parent: String
  private var isPublished = false

  /// Makes a folder beside `target`, which must not be there, or be an empty folder.
  package init(for target: String) throws {
    let trimmed = Self.trimmed(target)
    let parts = PathParts(trimmed)
    self.target = trimmed
    parent = parts.folder
    path = parts.temporaryPath
    guard mkdir(path, 0o755) == 0 else { throw Failure.system(.unwritableFile, "create a folder", at: path) }
    chmod(path, 0o755)
  }

  /// Refuses a target that ``publish(isDurable:)`` would refuse, before work is done that takes long.
  ///
  /// - Throws: ``Failure/Code/existingFile`` if it is there, and no empty folder; ``Failure/Code/missingFile`` or
  ///   ``Failure/Code/unwritableFile`` if the folder that it would lie in is not there, or nothing can be made in it.
  package static func check(_ target: String) throws {
    let target = trimmed(target), parent = PathParts(target).folder
    guard access(parent, W_OK | X_OK) == 0 else {
      throw Failure.system(.unwritableFile, "create a folder", at: parent)
    }
    var status = stat()
    guard lstat(target, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR, try OpenFile(folder: target).childNames().isEmpty else {
      throw Failure(.existingFile, "there is something already", at: target)
    }
  }

  deinit {
    guard !isPublished, let folder = try? OpenFile(folder: path) else { return }
    for item in ((try? folder.contents()) ?? []).reversed() {
      unlinkat(folder.descriptor, item.name.text, item.isFolder ? AT_REMOVEDIR : 0)
    }
    rmdir(path)
  }

  /// A path without the slashes at its end.
  private static func trimmed(_ path: String) -> String {
    var trimmed = path[...]
    while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed.removeLast() }
    return String(trimmed)
  }

  package func makeFolder(_ name: String) throws {
    guard mkdir("\(path)/\(name)", 0o755) == 0 else {
      throw Failure.system(.unwritableFile, "create a folder", at: name)
    }
    chmod("\(path)/\(name)", 0o755)
  }

  /// Writes a file, which is on the disk when the folder is.
  package func write(_ name: String, buffer: UnsafeRawBufferPointer) throws {
    try OpenFile(creating: "\(path)/\(name)").write(buffer)
  }
  package func write(_ name: String, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write(name, buffer: $0) }
  }

  /// - Parameter isDurable: false for a folder that is no use after a power cut
  package func publish(isDurable: Bool = true) throws {
    if isDurable { try OpenFile(folder: path).synchronizeAll() }
    guard rename(path, target) == 0 else {
      throw [ENOTEMPTY, EEXIST, ENOTDIR].contains(errno)
        ? Failure(.existingFile, "something with this name exists already", at: target)
        : Failure.system(.unwritableFile, "rename into place", at: target)
    }
    isPublished = true
    if isDurable { try OpenFile(folder: parent).synchronize() }
  }
}
