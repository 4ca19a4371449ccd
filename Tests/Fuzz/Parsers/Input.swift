import Foundation
import HubArchive

/// Files by name; most parsers take a single one.
package struct Input {
  package var files: [(name: String, bytes: [UInt8])]

  /// - Parameter bytes: the file; for parsers of folders, for each file its name, its bytes, and before each of both
  ///   how many bytes they are, in four bytes. Nil when they are not that.
  package init?(_ bytes: [UInt8], for parser: Parser) {
    files = parser.isFolder ? [] : [("input", bytes)]
    var rest = parser.isFolder ? bytes[...] : []
    while !rest.isEmpty {
      guard let name = Self.field(&rest), let content = Self.field(&rest),
        let path = try? EntryName(String(decoding: name, as: UTF8.self))
      else { return nil }
      files.append((path.text, Array(content)))
    }
  }

  private static func field(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard rest.count >= 4 else { return nil }
    let size = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard rest.count - 4 >= size else { return nil }
    defer { rest = rest.dropFirst(4 + size) }
    return rest.dropFirst(4).prefix(size)
  }

  /// The bytes that ``init(_:for:)`` makes this of.
  package func encoded(for parser: Parser) -> [UInt8] {
    guard parser.isFolder else { return files[0].bytes }
    return files.flatMap { file in
      [Array(file.name.utf8), file.bytes].flatMap { field in
        (0..<4).map { UInt8(truncatingIfNeeded: field.count >> (8 * $0)) } + field
      }
    }
  }

  /// Makes a folder of it, in the place of another.
  package func write(to folder: String) throws {
    let manager = FileManager.default
    if manager.fileExists(atPath: folder) { try manager.removeItem(atPath: folder) }
    try manager.createDirectory(atPath: folder, withIntermediateDirectories: false)
    for (name, bytes) in files {
      let path = URL(fileURLWithPath: "\(folder)/\(name)")
      if name.contains("/") {
        try manager.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      }
      try Data(bytes).write(to: path)
    }
  }
}
