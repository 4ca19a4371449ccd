import Foundation
import HubArchive
import HubWords
import HubTesting
import Testing

/// The archives that `Fixtures/make.py` made.
@Suite struct ArchiveFixtureTests {
  private static func folder(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
  }

  private static func files(in name: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder(name))) ?? []).filter { !$0.hasSuffix(".expected") }
      .sorted()
  }

  private func read(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
    let reader = try ArchiveReader(bytes: bytes)
    var found: [String: [UInt8]] = [:]
    while let entry = try reader.next() {
      if !entry.isFolder { found[entry.name.text] = try reader.contents(limit: 1 << 30) }
    }
    return found
  }

  private let expected = ["a.txt": Array("hello\n".utf8), "folder/b.bin": [UInt8](repeating: 7, count: 3000)]

  @Test("Archives of all honest programs are read", arguments: files(in: "good"))
  func good(name: String) throws {
    let path = Self.folder("good") + "/" + name
    #expect(try read(contents(of: path)) == expected)
    let scratch = try Scratch()
    try ArchiveReader(file: path).extract(into: scratch.path)
    #expect(scratch.listing == ["a.txt", "folder", "folder/b.bin"])
    #expect(try scratch.bytes("folder/b.bin") == expected["folder/b.bin"])
  }

  @Test("Bad archives are refused with the code beside them", arguments: files(in: "bad"))
  func bad(name: String) throws {
    let path = Self.folder("bad") + "/" + name
    let expected = String(decoding: try contents(of: path + ".expected"), as: UTF8.self).dropLast()
    let scratch = try Scratch()
    #expect(code { try ArchiveReader(file: path).extract(into: scratch.path) } == String(expected))
    #expect(scratch.listing.isEmpty)
  }

  @Test("Every truncation of a zip file is refused", arguments: files(in: "good").filter { $0.hasSuffix(".zip") })
  func truncation(name: String) throws {
    let bytes = try contents(of: Self.folder("good") + "/" + name)
    for length in bytes.indices { #expect(code { _ = try read(Array(bytes.prefix(length))) } != nil, "\(length)") }
  }

  @Test(
    "A flipped bit in a zip file is refused, or changes no contents",
    arguments: files(in: "good").filter { $0.hasSuffix(".zip") })
  func flips(name: String) throws {
    let bytes = try contents(of: Self.folder("good") + "/" + name)
    let original = try read(bytes)
    for index in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[index] ^= 1 << UInt8(bit)
        var found = original
        let result = code { found = try read(damaged) }
        #expect(result?.hasPrefix("not a Failure") != true)
        // Names are in a zip file twice, but a name may also become one that is left out.
        #expect(found.allSatisfy { original[$0.key] == $0.value }, "bit \(bit) of byte \(index)")
      }
    }
  }

  /// All of Unicode's case folding, `ß` and `ss` too: what one file system takes for one name is one name here.
  @Test func `Names that differ in case or width only collide in every script`() throws {
    let pairs = String(decoding: try contents(of: Self.folder("alike.txt")), as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: "\t")
    }
    var compared = 0
    for pair in pairs {
      guard let first = try? EntryName("a" + pair[0]), let second = try? EntryName("a" + pair[1]) else { continue }
      var names = EntryNames()
      try names.insert(first, isFolder: false)
      #expect(code { try names.insert(second, isFolder: false) } == "archive/colliding-names", "\(pair)")
      compared += 1
    }
    #expect(compared > 5000)
  }

  @Test(arguments: [("3.6.1", true), ("3.6.2", false), ("3.10", false), ("3.7.0-dev", false), ("3", true), ("", true)])
  func `Libraries of the system are known by their versions`(text: String, isTooOld: Bool) {
    #expect(LinkedLibrary("libarchive", version: text, oldest: SemanticVersion(3, 6, 2)).isTooOld == isTooOld)
  }

  @Test func `The libraries that these tests run with are recent enough`() {
    for library in LinkedLibrary.ofArchives { #expect(!library.isTooOld && library.version.major < 100, "\(library)") }
  }
}
