import Dovetail
import Foundation
import HubBundle
import HubTesting
import Testing

/// The bundles of all kinds that the format's description comes with are adapters that can be installed.
@Suite struct GoldenBundleTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Formats/bundle/v1/golden").path

  @Test func areAdapters() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".adapter") }
    #expect(names.count >= 13)
    // A bundle may have no weights; no adapter is made of none.
    for name in names where name != "no-weights.adapter" {
      let scratch = try Scratch()
      let bundle = try HubBundle.Bundle.unpack(file: "\(Self.folder)/\(name)", into: scratch("out"))
      #expect(throws: Never.self, "\(name)") { try BundleCheck.check(bundle) }
    }
  }
}
