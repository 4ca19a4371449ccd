import Foundation
import HubArchive
import HubBundle
import HubManifest
import HubTesting
import HubWeights
import Testing

/// The files below `Formats/bundle/v1`: the good ones are made again byte for byte, the bad ones are refused with the
/// code beside them. `RECORD=1 swift test` writes them.
@Suite(.serialized) struct FormatTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Formats/bundle/v1").path
  private static let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"

  @Test func `The golden bundle is made again byte for byte`() throws {
    let scratch = try Scratch()
    let bundle = try Sample.builder().write(to: scratch("sample"))
    for compression in Compression.allCases {
      try Bundle.pack(folder: scratch("sample"), to: scratch("sample-\(compression).adapter"), compression: compression)
    }
    if Self.isRecording {
      try? FileManager.default.removeItem(atPath: "\(Self.root)/golden")
      try FileManager.default.copyItem(atPath: scratch.path, toPath: "\(Self.root)/golden")
    }
    for path in bundle.manifest.files.map(\.path) + ["manifest.json"] {
      #expect(try contents(of: "\(Self.root)/golden/sample/\(path)") == scratch.bytes("sample/\(path)"), "\(path)")
    }
    // What zlib and zstd make of the same tar file may change with their versions.
    #expect(try contents(of: "\(Self.root)/golden/sample-none.adapter") == scratch.bytes("sample-none.adapter"))
  }

  @Test("The golden archives hold the golden bundle", arguments: Compression.allCases)
  func goldenArchives(compression: Compression) throws {
    let scratch = try Scratch()
    let unpacked = try Bundle.unpack(file: "\(Self.root)/golden/sample-\(compression).adapter", into: scratch("out"))
    #expect(try unpacked.digest == Bundle.open(folder: "\(Self.root)/golden/sample").digest)
  }

  @Test func `Every bad bundle is refused with the code beside it`() throws {
    let folder = "\(Self.root)/bad"
    if Self.isRecording { try BadBundles.record(to: folder) }
    let expectations = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".expected") }
    #expect(expectations.count >= 12)
    for expectation in expectations {
      let expected = String(decoding: try contents(of: "\(folder)/\(expectation)"), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      let path = "\(folder)/\(expectation.dropLast(".expected".count))"
      let scratch = try Scratch()
      var isFolder: ObjCBool = false
      #expect(FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), "\(path)")
      let found = code {
        _ = isFolder.boolValue ? try Bundle.open(folder: path) : try Bundle.unpack(file: path, into: scratch("out"))
      }
      #expect(found == expected, "\(expectation)")
      #expect(scratch.listing.isEmpty, "\(expectation)")
    }
  }
}
