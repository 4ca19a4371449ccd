import HubWords

import Glibc

extension ArchiveReader {
  /// Writes all remaining entries below a folder that exists, files with mode 0644 and folders with 0755.
  ///
  /// No file is overwritten and no link followed. If anything fails, what was written is removed again; a large archive
  /// is read to its end before more than ``InputLimits/uncheckedBytes`` of it are written. What is written is not made
  /// durable.
  ///
  /// - Returns: the files, in the order of the archive.
  @discardableResult
  public func extract(into folder: String) throws -> [EntryName] {
    let target = try ExtractionTarget(folder)
    var unchecked = 0, isChecked = false
    do {
      while let entry = try next() {
        if entry.isFolder {
          _ = try target.makeFolder(entry.name.components[...])
        } else {
          let file = try target.makeFile(entry.name)
          try forEachPiece { piece in
            unchecked += piece.count
            if unchecked > InputLimits.uncheckedBytes, isFile, !isChecked {
              try Self.check(file: path, limits: limits)
              isChecked = true
            }
            try file.write(piece)
          }
        }
      }
    } catch {
      target.removeAll()
      throw error
    }
    return target.files
  }
}

/// The folder that an archive is written to, and what was made in it.
private final class ExtractionTarget {
  private let root: OpenFile
  private var made: [(path: String, isFolder: Bool)] = []
  private var folders: [String: OpenFile] = [:]
  private(set) var files: [EntryName] = []

  init(_ path: String) throws { root = try OpenFile(folder: path) }

  /// Opens, or makes, a folder component by component, each relative to the one before.
  func makeFolder(_ components: ArraySlice<String>) throws -> OpenFile {
    guard let last = components.last else { return root }
    let path = components.joined(separator: "/")
    if let known = folders[path] { return known }
    let parent = try makeFolder(components.dropLast())
    if mkdirat(parent.descriptor, last, 0o755) == 0 {
      made.append((path, true))
    } else if errno != EEXIST {
      throw Failure.system(.unwritableFile, "create the folder", at: path)
    }
    let folder = try OpenFile(folder: last, in: parent)
    folders[path] = folder
    return folder
  }

  func makeFile(_ name: EntryName) throws -> OpenFile {
    let folder = try makeFolder(name.components.dropLast()[...])
    let file = try locating(name.text) { try OpenFile(creating: name.last, in: folder) }
    made.append((name.text, false))
    files.append(name)
    return file
  }

  func removeAll() {
    for item in made.reversed() {
      unlinkat(root.descriptor, item.path, item.isFolder ? AT_REMOVEDIR : 0)
    }
  }
}
