public import HubWords

extension Failure.Code {
  /// An entry is neither a regular file nor a folder: a link, a device, a sparse or an encrypted file.
  public static let forbiddenEntry = Self("archive/forbidden-entry", .refused)
}

/// One entry of an archive.
public struct ArchiveEntry: Hashable, Sendable {
  /// Its path in the archive.
  public let name: EntryName
  /// Whether it is a folder; otherwise it is a file.
  public let isFolder: Bool
}

/// Reads a zip file, or a tar file plain or in one layer of gzip or zstd, from a file or from memory; which of
/// them it is, is told by its first bytes and never by its name.
///
/// It is made for hostile input. Only regular files and folders exist, limits are counted on what comes out, and
/// an archive that is not whole to its true end is refused at the latest when ``next()`` would return `nil`.
/// What is in one reading a name or a length, and in another one not, is refused (``TarStream``, ``ZipLayout``).
/// What macOS adds (`__MACOSX/`, `.DS_Store`, `._*`) is checked like everything and then left out.
public final class ArchiveReader {
  /// The formats that are read.
  public enum Format: String, Sendable, CaseIterable {
    case zip, tar
    case tarGzip = "tar.gz"
    case tarZstd = "tar.zst"
  }

  /// Which format it is, as its first bytes say.
  public let format: Format
  /// Where the archive comes from; the subject of every failure begins with it.
  public let path: String

  let limits: ArchiveLimits
  /// Whether it can be read again from its path.
  let isFile: Bool
  private let budget: Budget
  private let library: LibraryReader
  /// The names as the directory of a zip file has them.
  private let zipNames: Set<[UInt8]>?
  private var names = EntryNames()
  private var entryCount = 0
  private var current: Current?
  private var isFinished = false
  private var failure: Failure?

  private struct Current {
    let name: EntryName
    let size: Int?
    var count = 0
    var isRead = false
  }

  /// - Throws: ``Failure`` with codes `archive/...` or `file/...`.
  public convenience init(file path: String, limits: ArchiveLimits = ArchiveLimits()) throws {
    try self.init(SourceStream(OpenFile(reading: path)), path: path, isFile: true, limits: limits)
  }

  /// - Parameter path: a name for the archive, for messages.
  public convenience init(bytes: [UInt8], path: String = "archive", limits: ArchiveLimits = ArchiveLimits()) throws {
    try self.init(SourceStream(bytes), path: path, isFile: false, limits: limits)
  }

  private init(_ source: SourceStream, path: String, isFile: Bool, limits: ArchiveLimits) throws {
    self.path = path
    self.isFile = isFile
    self.limits = limits
    (format, budget, library, zipNames) = try locating(path) {
      let budget = try Budget(limits, archiveBytes: source.count ?? 0)
      let format = try Format(detecting: source)
      if format == .tar {
        try Placeholder.check(source.bytes(at: 0, count: min(Placeholder.length, source.count ?? 0)))
      }
      let zipNames = format == .zip ? try ZipLayout.check(source, limits: limits) : nil
      let library =
        switch format {
        case .zip: try LibraryReader(.zip, stream: source)
        case .tar: try LibraryReader(.tar, stream: TarStream(source))
        case .tarGzip: try LibraryReader(.tar, stream: TarStream(GzipStream(source, budget: budget)))
        case .tarZstd: try LibraryReader(.tar, stream: TarStream(ZstdStream(source, budget: budget)))
        }
      return (format, budget, library, zipNames)
    }
  }

  /// The next file or folder, after the rest of the current one was read and checked; `nil` at the end.
  public func next() throws -> ArchiveEntry? {
    try guarded {
      while !isFinished {
        try skipRest()
        guard let header = try library.nextHeader() else {
          if format != .zip { try library.checkTarEnd() }
          isFinished = true
          break
        }
        if let entry = try admit(header) { return entry }
      }
      return nil
    }
  }

  /// Hands the contents of the current entry over, piece by piece. A piece is valid during the call only.
  public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try guarded { while let piece = try nextPiece() { try body(piece) } }
  }

  /// The contents of the current entry.
  ///
  /// - Parameter limit: bytes; more are refused with ``Failure/Code/excessiveArchive``.
  public func contents(limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let name = current?.name.text
    try forEachPiece { piece in
      guard bytes.count + piece.count <= limit else {
        throw Failure(.excessiveArchive, "the entry has more than the \(limit) bytes allowed for it", at: name)
      }
      bytes.append(contentsOf: piece)
    }
    return bytes
  }

  /// Runs `body`; once it failed, every later call fails in the same way.
  private func guarded<Result>(_ body: () throws -> Result) throws -> Result {
    if let failure { throw failure }
    do {
      return try body()
    } catch let error as Failure {
      let located = error.within(path)
      failure = located
      throw located
    }
  }

  private func admit(_ header: LibraryEntry) throws -> ArchiveEntry? {
    entryCount += 1
    guard entryCount <= limits.entries else {
      throw Failure(.excessiveArchive, "the archive has more than \(limits.entries) entries")
    }
    guard let bytes = header.name, let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.unsafeEntryName, "the name of an entry is not UTF-8", at: "entry \(entryCount)")
    }
    guard zipNames?.contains(bytes) ?? true else {
      throw Failure(.ambiguousArchive, "an entry and the zip directory disagree", at: EntryName.escaped(text))
    }
    guard header.isFile || header.isFolder else {
      throw Failure(
        .forbiddenEntry, "only regular files and folders are allowed in an archive, no links or devices",
        at: EntryName.escaped(text))
    }
    guard let plain = Self.plainName(text, isFolder: header.isFolder, isTar: format != .zip) else { return nil }
    let name = try EntryName(plain, limits: limits)
    try names.insert(name, isFolder: header.isFolder)
    current = Current(name: name, size: header.size)
    return Self.isSystemLitter(name) ? nil : ArchiveEntry(name: name, isFolder: header.isFolder)
  }

  /// Without the `/` that marks a folder and the `./` that tar may put in front; `nil` for the root itself.
  private static func plainName(_ text: String, isFolder: Bool, isTar: Bool) -> String? {
    var name = text[...]
    if isFolder, name.utf8.last == UInt8(ascii: "/") { name = name.dropLast() }
    if isTar, isFolder, name == "." { return nil }
    if isTar, name.hasPrefix("./") { name = name.dropFirst(2) }
    return String(name)
  }

  private static func isSystemLitter(_ name: EntryName) -> Bool {
    name.components.first == "__MACOSX" || name.last == ".DS_Store" || name.last.hasPrefix("._")
  }

  private func skipRest() throws {
    while try nextPiece() != nil {}
    current = nil
  }

  private func nextPiece() throws -> UnsafeRawBufferPointer? {
    guard var entry = current, !entry.isRead else { return nil }
    defer { current = entry }
    while let piece = try library.nextData() {
      guard piece.offset == entry.count else {
        throw Failure(.forbiddenEntry, "the entry is a sparse file", at: entry.name.text)
      }
      guard !piece.bytes.isEmpty else { continue }
      entry.count += piece.bytes.count
      if let size = entry.size, entry.count > size { throw Self.wrongLength(entry) }
      if format == .zip { try budget.spend(piece.bytes.count) }
      return piece.bytes
    }
    entry.isRead = true
    guard entry.size == nil || entry.size == entry.count else { throw Self.wrongLength(entry) }
    return nil
  }

  private static func wrongLength(_ entry: Current) -> Failure {
    Failure(.damagedArchive, "the entry's length differs from what its header says", at: entry.name.text)
  }

  /// Reads a whole archive and keeps nothing of it.
  static func check(file path: String, limits: ArchiveLimits) throws {
    let reader = try ArchiveReader(file: path, limits: limits)
    while try reader.next() != nil {}
  }
}

extension ArchiveReader.Format {
  fileprivate init(detecting source: SourceStream) throws {
    let start = try source.bytes(at: 0, count: min(4, source.count ?? 0))
    switch start {
    case [0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06]: self = .zip
    case [0x28, 0xB5, 0x2F, 0xFD]: self = .tarZstd
    case _ where start.starts(with: [0x1F, 0x8B]): self = .tarGzip
    default: self = .tar
    }
  }
}
