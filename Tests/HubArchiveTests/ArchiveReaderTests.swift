import HubArchive
import HubWords
import HubTesting
import Testing

@Suite struct ArchiveReaderTests {
  private let text = [UInt8]("hello, adapter\n".utf8)

  private func tar(_ names: [String], type: Character = "0", link: String = "") -> [UInt8] {
    RawTar.bytes(
      names.map { name in
        if name.hasSuffix("/") { return RawTar.Entry(name, type: "5") }
        return RawTar.Entry(name, type == "0" ? text : [], type: type, link: link)
      })
  }

  private func readAll(_ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits()) throws -> [String] {
    let reader = try ArchiveReader(bytes: bytes, limits: limits)
    var names: [String] = []
    while let entry = try reader.next() { names.append(entry.name.text) }
    return names
  }

  private func written(_ compression: Compression) throws -> [UInt8] {
    let scratch = try Scratch()
    let writer = try ArchiveWriter(file: scratch("a"), compression: compression)
    try writer.add(EntryName("b.txt"), bytes: text)
    try writer.add(EntryName("folder/größe.bin"), bytes: [UInt8](repeating: 7, count: 3000))
    try writer.finish()
    return try scratch.bytes("a")
  }

  @Test("What is written is read", arguments: Compression.allCases)
  func roundTrip(compression: Compression) throws {
    let bytes = try written(compression)
    #expect(try bytes == written(compression))
    let reader = try ArchiveReader(bytes: bytes)
    #expect(try reader.next()?.name.text == "b.txt")
    #expect(try reader.contents(limit: 100) == text)
    #expect(try reader.next()?.name.text == "folder/größe.bin")
    #expect(try reader.contents(limit: 3000).count == 3000)
    #expect(try reader.next() == nil)
  }

  @Test("Every truncation is refused, and every byte behind the end", arguments: Compression.allCases)
  func truncation(compression: Compression) throws {
    let bytes = try written(compression)
    for length in bytes.indices {
      #expect(throws: Failure.self, "\(length) of \(bytes.count)") { try readAll(Array(bytes.prefix(length))) }
    }
    #expect(throws: Failure.self) { try readAll(bytes + [1]) }
  }

  @Test("No flipped byte crashes the reader", arguments: Compression.allCases)
  func flips(compression: Compression) throws {
    let bytes = try written(compression)
    for index in bytes.indices {
      for mask: UInt8 in [1, 0x80, 0xFF] {
        var damaged = bytes
        damaged[index] ^= mask
        #expect(code { _ = try readAll(damaged) }?.hasPrefix("not a Failure") != true)
      }
    }
  }

  @Test(
    "Unsafe names are refused",
    arguments: [
      "../a", "/a", "a/../b", "a//b", "a/./b", "a\\b", "c:a", "a.", "a ", " a", "a/ b", "a\u{1}b", "~a", "..", ".",
      "a\u{202E}b", "a\u{200B}b", "e\u{301}", "a\u{FEFF}", "a/b./c",
    ])
  func names(name: String) {
    #expect(code { _ = try EntryName(name) } == "archive/unsafe-name")
    #expect(code { _ = try readAll(tar([name])) } == "archive/unsafe-name")
  }

  @Test func `Long and deep names are refused`() {
    #expect(code { _ = try EntryName(String(repeating: "a", count: 256)) } == "archive/limit")
    #expect(code { _ = try EntryName("1/2/3/4/5/6/7/8/9") } == "archive/limit")
    #expect(code { _ = try EntryName("") } == "archive/unsafe-name")
  }

  @Test func `A slash is a slash whatever follows it`() throws {
    #expect(try EntryName("a/\u{301}b").components == ["a", "\u{301}b"])
    #expect(code { _ = try EntryName("../\u{301}b") } == "archive/unsafe-name")
    #expect(code { _ = try readAll(tar(["./\u{301}b/../c"])) } == "archive/unsafe-name")
  }

  @Test func `Harmless oddities are read`() throws {
    #expect(try readAll(tar(["./", "./a", "b/", "b/c", "__MACOSX/x", "b/.DS_Store", "._a"])) == ["a", "b", "b/c"])
    #expect(try readAll(tar([])) == [])
  }

  @Test(
    "Names that are one file somewhere are refused",
    arguments: [
      ["a", "a"], ["a", "A"], ["a", "a/b"], ["A/b", "a/c"], ["straße", "STRASSE"], ["ﬁ", "fi"], ["a/", "a"],
      ["ſ", "s"],
    ])
  func collisions(names: [String]) {
    #expect(code { _ = try readAll(tar(names)) } == "archive/colliding-names")
  }

  @Test("Only files and folders exist", arguments: ["1", "2", "3", "4", "6"] as [Character])
  func kinds(type: Character) throws {
    let bytes = tar(["a"], type: type, link: type == "1" || type == "2" ? "b" : "")
    #expect(code { _ = try readAll(bytes) } == "archive/forbidden-entry")
    let scratch = try Scratch()
    #expect(
      code { _ = try ArchiveReader(bytes: tar(["x"]).dropLast(1024) + bytes).extract(into: scratch.path) }
        == "archive/forbidden-entry")
    #expect(scratch.listing.isEmpty)
  }

  @Test func `Limits are counted on what comes out`() throws {
    var limits = ArchiveLimits()
    limits.entries = 2
    #expect(code { _ = try readAll(tar(["a", "b", "c"]), limits: limits) } == "archive/limit")
    limits = ArchiveLimits()
    limits.archiveBytes = 1000
    #expect(code { _ = try readAll(tar(["a"]), limits: limits) } == "archive/limit")
    limits = ArchiveLimits()
    limits.ratioFloor = 1000
    limits.ratio = 3
    let bytes = try written(.zstd)
    #expect(code { _ = try readAll(bytes, limits: limits) } == "archive/limit")
    limits.unpackedBytes = 2000
    #expect(code { _ = try readAll(bytes, limits: limits) } == "archive/limit")
    let reader = try ArchiveReader(bytes: bytes)
    _ = try reader.next()
    #expect(code { _ = try reader.contents(limit: 3) } == "archive/limit")
  }

  @Test func `A large zstd window is refused before memory is taken for it`() throws {
    var bytes = try written(.zstd)
    #expect(bytes[4] & 0x20 == 0)
    bytes[5] = 17 << 3
    #expect(code { _ = try readAll(bytes) } == "archive/limit")
  }

  @Test func `Other formats are not even tried`() {
    for start in ["!<arch>\n", "070707", "#mtree\n", "Rar!\u{1A}\u{7}", "7z", "BZh9", "plain text"] {
      #expect(throws: Failure.self) { try readAll(Array(start.utf8) + [UInt8](repeating: 0x20, count: 2000)) }
    }
    #expect(throws: Failure.self) { try readAll([]) }
  }

  @Test("Only one layer of compression is undone", arguments: [Compression.zstd, .gzip])
  func layers(compression: Compression) throws {
    let scratch = try Scratch()
    let writer = try ArchiveWriter(file: scratch("a"), compression: compression)
    try writer.add(EntryName("inner"), bytes: try written(compression))
    try writer.finish()
    #expect(try readAll(scratch.bytes("a")) == ["inner"])
  }

  @Test func `Files are written with our modes, and all or none`() throws {
    let scratch = try Scratch()
    let target = try scratch.folder("target")
    let names = try ArchiveReader(bytes: try written(.zstd)).extract(into: target)
    #expect(names.map(\.text) == ["b.txt", "folder/größe.bin"])
    #expect(try scratch.bytes("target/b.txt") == text)
    let second = try scratch.folder("second")
    try scratch.file("second/x", [1])
    let broken = Array(try written(.none).dropLast(100))
    #expect(throws: Failure.self) { try ArchiveReader(bytes: broken).extract(into: second) }
    #expect(scratch.listing.filter { $0.hasPrefix("second") } == ["second", "second/x"])
    #expect(code { _ = try ArchiveReader(bytes: try written(.none)).extract(into: target) } == "file/cannot-create")
    #expect(try scratch.bytes("target/b.txt") == text)
  }

  @Test func `A writer that is given up leaves nothing`() throws {
    let scratch = try Scratch()
    do {
      let writer = try ArchiveWriter(file: scratch("a"))
      try writer.add(EntryName("x"), bytes: text)
      #expect(code { try writer.add(EntryName("X"), bytes: text) } == "archive/colliding-names")
    }
    #expect(scratch.listing.isEmpty)
  }
}
