import HubArchive
import HubBundle
import HubWeights
import Dovetail
import Foundation
import HubWords
import Testing

/// The limits are the ones that the specification promises, whose table writes powers as people do.
@Suite struct InputLimitsTests {
  private static let specification = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Formats/bundle/v1/README.md")

  @Test func theSpecificationNamesTheSameLimits() throws {
    let text = try String(contentsOf: Self.specification, encoding: .utf8)
    let table = try #require(text.split(separator: "## Limits").last?.split(separator: "## Tensor names").first)
    func mebibytes(_ bytes: Int) -> String { bytes % (1 << 30) == 0 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB" }
    for row in [
      "| packed file | \(mebibytes(InputLimits.archiveBytes)) |",
      "| unpacked, in all | \(mebibytes(InputLimits.unpackedBytes)) |",
      "| unpacked to packed | \(InputLimits.ratio) : 1, counted once \(mebibytes(InputLimits.ratioFloor)) came out |",
      "| entries | \(InputLimits.entries) |",
      "| a name | \(InputLimits.nameBytes) bytes, \(InputLimits.componentBytes) for a component, \(InputLimits.depth) components |",
      "\(mebibytes(InputLimits.jsonBytes)), \(InputLimits.jsonDepth) levels, \(InputLimits.jsonValues / 1000) 000 values |",
      "| \(mebibytes(InputLimits.safetensorsHeader)), \(InputLimits.tensors / 1000) \(InputLimits.tensors % 1000) tensors |",
      "| window of zstd | \(mebibytes(InputLimits.zstdWindow)) |",
      "| signatures | \(InputLimits.signatures) |",
      "| members of a composition | \(InputLimits.members) |",
      "| text of a composition | \(InputLimits.compositionBytes / 1000) \(InputLimits.compositionBytes % 1000) bytes |",
      "| text of a probe | \(InputLimits.probeBytes) bytes |",
    ] {
      #expect(table.contains(row), "\(row)")
    }
    #expect(
      InputLimits.dimension == 1 << 31 - 1 && InputLimits.elements == 1 << 40
        && table.contains("at most 2^31 - 1, 2^40 elements"))
  }

  @Test func everyLimitIsListedOnce() throws {
    let top = Self.specification.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    let files = [
      "HubArchive/ArchiveLimits", "HubBundle/BundleLimits", "HubTokenizers/TokenizerLimits", "HubWeights/WeightLimits",
      "HubWords/InputLimits",
    ]
    let declared = try files.reduce(0) { count, file in
      let lines = try String(contentsOfFile: "\(top)/Sources/\(file).swift", encoding: .utf8).split(separator: "\n")
      return count
        + lines.count {
          $0.hasPrefix("  public static let ") && !$0.contains(": [InputLimit]") && !$0.contains("= Self(")
        }
    }
    #expect(declared == InputLimits.all.count)
    #expect(Set(InputLimits.all.map(\.what)).count == InputLimits.all.count)
  }
}
