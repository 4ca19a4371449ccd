import Foundation
import HubArchive
import HubBundle
import HubManifest
import HubTesting
import HubWeights

/// Bundles that must be refused, each made from the sample by one change.
enum BadBundles {
  /// The entries of the sample, the manifest first.
  private typealias Entries = [(name: String, bytes: [UInt8])]

  static func record(to folder: String) throws {
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func save(_ name: String, _ bytes: [UInt8], _ code: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name).adapter"))
      try Data("\(code)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).adapter.expected"))
    }
    let sample = try entries()
    for (name, code, entries) in try changedContents(sample) { try save(name, tar(entries), code) }
    for (name, code, bytes) in try changedArchives(sample) { try save(name, bytes, code) }
    try recordFolder(sample, to: folder)
  }

  private static func entries() throws -> Entries {
    let scratch = try Scratch()
    let bundle = try Sample.builder().write(to: scratch("bundle"))
    return try (["manifest.json"] + bundle.manifest.files.map(\.path)).map { ($0, try scratch.bytes("bundle/\($0)")) }
  }

  private static func tar(_ entries: Entries) -> [UInt8] { RawTar.bytes(raw(entries)) }

  /// The entries of an archive: with the checksum behind the manifest.
  private static func raw(_ entries: Entries) -> [RawTar.Entry] {
    entries.flatMap { entry in
      let checksum = RawTar.Entry("manifest.sha256", Array("\(Digest(of: entry.bytes).hex)  manifest.json\n".utf8))
      return [RawTar.Entry(entry.name, entry.bytes)] + (entry.name == "manifest.json" ? [checksum] : [])
    }
  }

  private static func changedContents(_ sample: Entries) throws -> [(String, String, Entries)] {
    let weights = try SafetensorsWriter.bytes(of: [StoredTensor(name: "layers.0.attention.down.weight", shape: [2], floats: [1, .nan])])
    let pickle = [0x80, 2] + Array("cos\nsystem\n(X\u{4}\0\0\0truetR.".utf8)
    return [
      ("newer-format", "manifest/newer-format", manifest(sample) { $0["format"] = "dovetail-bundle/2.0" }),
      ("other-format", "manifest/unknown-format", manifest(sample) { $0["format"] = "other/1.0" }),
      ("name-climbs", "name/malformed", manifest(sample) { $0["name"] = "../sentiment" }),
      ("no-base", "json/unexpected", manifest(sample) { $0["base"] = nil }),
      ("version-short", "version/malformed", manifest(sample) { $0["version"] = "1.0" }),
      ("lists-itself", "bundle/missing-file", files(sample) { $0.append(file("manifest.json", "card", [])) }),
      ("lists-outside", "archive/unsafe-name", files(sample) { $0.append(file("../x", "card", [])) }),
      ("lists-twice", "archive/colliding-names", files(sample) { $0.append($0[0]) }),
      ("no-weights", "bundle/roles", files(sample.filter { $0.name != "weights.safetensors" }) { $0.removeAll { $0["role"] == "weights" } }),
      ("head-without-config", "bundle/roles", files(sample.filter { $0.name != "head/config.json" }) { $0.removeAll { $0["role"] == "headConfig" } }),
      ("file-missing", "bundle/missing-file", sample.filter { $0.name != "config.json" }),
      ("file-unlisted", "bundle/unlisted-file", sample + [("extra.bin", [1])]),
      ("file-longer", "bundle/changed-file", sample.map { $0.name == "config.json" ? ($0.name, $0.bytes + [0x20]) : $0 }),
      ("config-is-array", "json/unexpected", replacing(sample, "config.json", Array("[]\n".utf8))),
      ("weights-not-finite", "tensor/not-finite", replacing(sample, "weights.safetensors", weights)),
      ("weights-are-a-pickle", "safetensors/limit", replacing(sample, "weights.safetensors", pickle)),
      ("manifest-not-first", "bundle/no-manifest", sample.reversed()),
      ("manifest-twice-a-key", "json/malformed", [("manifest.json", Array(#"{"format":"dovetail-bundle/1.0","format":"dovetail-bundle/2.0"}"#.utf8))]),
    ]
  }

  private static func changedArchives(_ sample: Entries) throws -> [(String, String, [UInt8])] {
    let good = tar(sample)
    let raw = raw(sample)
    var flipped = raw
    flipped[0].contents[20] ^= 1
    return [
      ("cut-short", "archive/truncated", Array(good.dropLast(512))),
      ("cut-shorter", "archive/damaged", Array(good.dropLast(1024 + 200))),
      ("data-behind-the-end", "archive/damaged", good + [UInt8](repeating: 1, count: 512)),
      ("entry-climbs", "archive/unsafe-name", RawTar.bytes(raw + [RawTar.Entry("../../evil", [1])])),
      ("entry-absolute", "archive/unsafe-name", RawTar.bytes(raw + [RawTar.Entry("/evil", [1])])),
      ("entry-is-a-link", "archive/forbidden-entry", RawTar.bytes(raw + [RawTar.Entry("link", type: "2", link: "config.json")])),
      ("entry-is-a-hard-link", "archive/forbidden-entry", RawTar.bytes(raw + [RawTar.Entry("link", type: "1", link: "config.json")])),
      ("entry-is-a-fifo", "archive/forbidden-entry", RawTar.bytes(raw + [RawTar.Entry("fifo", type: "6")])),
      ("names-differ-in-case", "archive/colliding-names", RawTar.bytes(raw + [RawTar.Entry("CONFIG.json", [1])])),
      ("manifest-changed", "bundle/changed-file", RawTar.bytes(flipped)),
      ("checksum-missing", "bundle/missing-file", RawTar.bytes(raw.filter { $0.name != "manifest.sha256" })),
      ("not-an-archive", "archive/unknown-format", Array(String(repeating: "This is not an archive.\n", count: 40).utf8)),
    ]
  }

  private static func recordFolder(_ sample: Entries, to folder: String) throws {
    for (name, bytes) in sample {
      let url = URL(fileURLWithPath: "\(folder)/folder-changed/\(name)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      var bytes = bytes
      if name == "weights.safetensors" { bytes[bytes.count - 1] ^= 1 }
      try Data(bytes).write(to: url)
    }
    try Data("bundle/changed-file\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/folder-changed.expected"))
  }

  // MARK: Changes

  private static func manifest(_ sample: Entries, _ change: (inout JSON.Members) -> Void) -> Entries {
    sample.map { entry in
      guard entry.name == "manifest.json", var members = (try? JSON(parsing: entry.bytes))?.object else { return entry }
      change(&members)
      return (entry.name, Array(JSON.object(members).text(indent: 2).utf8))
    }
  }

  private static func files(_ sample: Entries, _ change: (inout [JSON]) -> Void) -> Entries {
    manifest(sample) { members in
      var files = members["files"]?.array ?? []
      change(&files)
      members["files"] = .array(files)
    }
  }

  private static func file(_ path: String, _ role: String, _ bytes: [UInt8]) -> JSON {
    ["path": .string(path), "role": .string(role), "size": .integer(bytes.count), "sha256": .string(Digest(of: bytes).hex)]
  }

  /// Other contents, rightly listed.
  private static func replacing(_ sample: Entries, _ name: String, _ bytes: [UInt8]) -> Entries {
    let changed = sample.map { $0.name == name ? (name, bytes) : $0 }
    return files(changed) { files in
      files = files.map { listed in
        guard listed["path"]?.string == name, let role = listed["role"]?.string else { return listed }
        return file(name, role, bytes)
      }
    }
  }
}
