import Foundation
import HubArchive
import HubWords
import HubTesting
import HubWeights

@testable import HubBundle

/// Bundles that must be refused, each made from the sample by one change.
enum BadBundles {
  /// The entries of the sample, the manifest first.
  typealias Entries = [(name: String, bytes: [UInt8])]

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
    for (name, code, entries) in try BadCompositions.all() { try save("composition-\(name)", tar(entries), code) }
    for (name, bytes) in try changedSignatures(sample) { try save(name, bytes, "bundle/bad-signature") }
    try recordFolder(sample, to: folder)
  }

  private static func entries() throws -> Entries {
    let scratch = try Scratch()
    let bundle = try Sample.builder().write(to: scratch("bundle"))
    return try (["manifest.json"] + bundle.manifest.files.map(\.path)).map { ($0, try scratch.bytes("bundle/\($0)")) }
  }

  static func tar(_ entries: Entries) -> [UInt8] { RawTar.bytes(raw(entries)) }

  /// The sample as a zip file, which a reader may take.
  static func zipped() throws -> [UInt8] { try RawZip.bytes(raw(entries()).map { ($0.name, $0.contents) }) }

  /// The entries of an archive: with the checksum after the manifest.
  private static func raw(_ entries: Entries) -> [RawTar.Entry] {
    entries.flatMap { entry in
      let checksum = RawTar.Entry("manifest.sha256", Array("\(Digest(of: entry.bytes).hex)  manifest.json\n".utf8))
      return [RawTar.Entry(entry.name, entry.bytes)] + (entry.name == "manifest.json" ? [checksum] : [])
    }
  }

  private static func changedContents(_ sample: Entries) throws -> [(String, String, Entries)] {
    let weights = try SafetensorsWriter.bytes(of: [
      StoredTensor(name: "layers.0.attention.down.weight", shape: [2], floats: [1, .nan])
    ])
    let keys = try [7, 8].map { try SigningKey(seed: [UInt8](repeating: $0, count: 32)) }
    let signer = JSON.string(keys[0].publicKey.description)
    let unsigned = manifest(sample) { $0["signers"] = .array([signer]) }
    let other = (
      BundleSignature.path(of: keys[1].publicKey),
      try BundleSignature.file(of: Digest(of: unsigned[0].bytes), by: keys[1])
    )
    let pickle = [0x80, 2] + Array("cos\nsystem\n(X\u{4}\0\0\0truetR.".utf8)
    return [
      ("newer-format", "manifest/newer-format", manifest(sample) { $0["format"] = "dovetail-bundle/2.0" }),
      ("other-format", "manifest/unknown-format", manifest(sample) { $0["format"] = "other/1.0" }),
      ("name-climbs", "name/malformed", manifest(sample) { $0["name"] = "../sentiment" }),
      ("no-base", "json/unexpected", manifest(sample) { $0["base"] = nil }),
      ("version-short", "version/malformed", manifest(sample) { $0["version"] = "1.0" }),
      (
        "range-of-words", "version/malformed",
        manifest(sample) { $0["dependencies"] = [["name": "x", "role": "language", "range": "latest"]] }
      ),
      (
        "digest-climbs", "digest/malformed",
        files(sample) { $0.append(["path": "x", "role": "card", "size": 0, "sha256": "../../../etc/passwd"]) }
      ),
      (
        "hidden-size-huge", "manifest/invalid",
        manifest(sample) { $0["base"] = ["architecture": "bert", "hiddenSize": 1_000_000_000] }
      ),
      ("language-unlike-a-tag", "manifest/invalid", manifest(sample) { $0["languages"] = ["../en"] }),
      ("signer-unlike-a-key", "manifest/invalid", manifest(sample) { $0["signers"] = ["ed25519:../key"] }),
      ("signer-twice", "manifest/invalid", manifest(sample) { $0["signers"] = .array([signer, signer]) }),
      ("signature-missing", "bundle/missing-signature", unsigned),
      ("signature-of-another-signer", "bundle/missing-signature", unsigned + [other]),
      ("lists-itself", "bundle/missing-file", files(sample) { $0.append(file("manifest.json", "card", [])) }),
      ("lists-outside", "archive/unsafe-name", files(sample) { $0.append(file("../x", "card", [])) }),
      ("lists-twice", "archive/colliding-names", files(sample) { $0.append($0[0]) }),
      (
        "no-weights", "bundle/roles",
        files(sample.filter { $0.name != "weights.safetensors" }) { $0.removeAll { $0["role"] == "weights" } }
      ),
      (
        "head-without-config", "bundle/roles",
        files(sample.filter { $0.name != "head/config.json" }) { $0.removeAll { $0["role"] == "headConfig" } }
      ),
      ("file-missing", "bundle/missing-file", sample.filter { $0.name != "config.json" }),
      ("file-unlisted", "bundle/unlisted-file", sample + [("extra.bin", [1])]),
      (
        "file-longer", "bundle/changed-file",
        sample.map { $0.name == "config.json" ? ($0.name, $0.bytes + [0x20]) : $0 }
      ),
      ("config-is-array", "json/unexpected", replacing(sample, "config.json", Array("[]\n".utf8))),
      ("weights-not-finite", "tensor/not-finite", replacing(sample, "weights.safetensors", weights)),
      ("weights-are-a-pickle", "safetensors/limit", replacing(sample, "weights.safetensors", pickle)),
      ("probe-of-another-size", "bundle/bad-probe", try probing(sample, ["state": [1, 2, 3]])),
      ("probe-of-words", "bundle/bad-probe", try probing(sample, ["logits": ["1"]])),
      ("probe-of-nothing", "bundle/bad-probe", try probing(sample, ["text": ""])),
      ("manifest-not-first", "bundle/no-manifest", sample.reversed()),
      (
        "manifest-twice-a-key", "json/malformed",
        [("manifest.json", Array(#"{"format":"dovetail-bundle/1.0","format":"dovetail-bundle/2.0"}"#.utf8))]
      ),
    ]
  }

  private static func changedArchives(_ sample: Entries) throws -> [(String, String, [UInt8])] {
    let good = tar(sample)
    let raw = raw(sample)
    var flipped = raw
    flipped[0].contents[20] ^= 1
    let zipped = try zipped()
    return [
      ("zip-with-a-front", "archive/ambiguous", [0x50, 0x4B, 3, 4] + zipped),
      ("zip-headers-disagree", "archive/ambiguous", zipped.prefix(30) + [UInt8(ascii: "M")] + zipped.dropFirst(31)),
      ("zip-cut-short", "archive/truncated", zipped.dropLast(20)),
      ("cut-short", "archive/truncated", Array(good.dropLast(512))),
      ("cut-shorter", "archive/damaged", Array(good.dropLast(1024 + 200))),
      ("data-behind-the-end", "archive/damaged", good + [UInt8](repeating: 1, count: 512)),
      ("entry-climbs", "archive/unsafe-name", RawTar.bytes(raw + [RawTar.Entry("../../evil", [1])])),
      ("entry-absolute", "archive/unsafe-name", RawTar.bytes(raw + [RawTar.Entry("/evil", [1])])),
      (
        "entry-is-a-link", "archive/forbidden-entry",
        RawTar.bytes(raw + [RawTar.Entry("link", type: "2", link: "config.json")])
      ),
      (
        "entry-is-a-hard-link", "archive/forbidden-entry",
        RawTar.bytes(raw + [RawTar.Entry("link", type: "1", link: "config.json")])
      ),
      ("entry-is-a-fifo", "archive/forbidden-entry", RawTar.bytes(raw + [RawTar.Entry("fifo", type: "6")])),
      ("names-differ-in-case", "archive/colliding-names", RawTar.bytes(raw + [RawTar.Entry("CONFIG.json", [1])])),
      ("manifest-changed", "bundle/changed-file", RawTar.bytes(flipped)),
      ("checksum-missing", "bundle/missing-file", RawTar.bytes(raw.filter { $0.name != "manifest.sha256" })),
      (
        "not-an-archive", "archive/unknown-format",
        Array(String(repeating: "This is not an archive.\n", count: 40).utf8)
      ),
    ]
  }

  /// Signatures that do not hold, each in a bundle that is right but for them.
  private static func changedSignatures(_ sample: Entries) throws -> [(String, [UInt8])] {
    let key = try SigningKey(seed: [UInt8](repeating: 7, count: 32))
    let path = BundleSignature.path(of: key.publicKey)
    let good = try BundleSignature.file(of: Digest(of: sample[0].bytes), by: key)
    let foreign = try BundleSignature.file(of: Digest(of: [1]), by: key)
    let order: [UInt8] =
      [0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14]
      + [UInt8](repeating: 0, count: 15) + [0x10]
    var carry = 0
    let larger = zip(good.suffix(32), order).map { digit, other in
      carry += Int(digit) + Int(other)
      defer { carry >>= 8 }
      return UInt8(carry & 255)
    }
    let neutral = [1] + [UInt8](repeating: 0, count: 31)
    let neutralName = "signatures/01" + String(repeating: "00", count: 31) + ".ed25519"
    let start = Array(good.prefix(32))
    let cases: [(String, [(String, [UInt8])])] = [
      ("signature-changed", [(path, good.dropLast() + [good[127] ^ 1])]),
      ("signature-of-another", [(path, foreign)]),
      ("signature-of-another-renamed", [(path, start + Array(foreign.dropFirst(32)))]),
      ("signature-plus-order", [(path, Array(good.dropLast(32)) + larger)]),
      ("signature-of-small-order", [(neutralName, start + neutral + neutral + [UInt8](repeating: 0, count: 32))]),
      ("signature-short", [(path, Array(good.dropLast()))]),
      ("signature-long", [(path, good + [0])]),
      ("signature-named-otherwise", [("signatures/release.ed25519", good)]),
      ("signature-and-more", [(path, good), ("signatures/README", [0x0A])]),
    ]
    return cases.map { name, files in (name, RawTar.bytes(raw(sample) + files.map { RawTar.Entry($0.0, $0.1) })) }
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

  static func manifest(_ sample: Entries, _ change: (inout JSON.Members) -> Void) -> Entries {
    sample.map { entry in
      guard entry.name == "manifest.json", var members = (try? JSON(parsing: entry.bytes))?.object else { return entry }
      change(&members)
      return (entry.name, Array(JSON.object(members).text(indent: 2).utf8))
    }
  }

  static func files(_ sample: Entries, _ change: (inout [JSON]) -> Void) -> Entries {
    manifest(sample) { members in
      var files = members["files"]?.array ?? []
      change(&files)
      members["files"] = .array(files)
    }
  }

  /// The sample with a probe in which something is changed.
  private static func probing(_ sample: Entries, _ change: JSON.Members) throws -> Entries {
    let good: JSON.Members = [
      "text": "a", "base": .string(Digest(of: [1]).description), "state": [1, 2, 3, 4], "logits": [1, 2, 3],
    ]
    let bytes = Array(JSON.object(good.with(change)).text().utf8)
    return files(sample) { $0.append(file("probe.json", "probe", bytes)) } + [("probe.json", bytes)]
  }

  static func file(_ path: String, _ role: String, _ bytes: [UInt8]) -> JSON {
    [
      "path": .string(path), "role": .string(role), "size": .integer(bytes.count),
      "sha256": .string(Digest(of: bytes).hex),
    ]
  }

  /// Other contents, rightly listed.
  static func replacing(_ sample: Entries, _ name: String, _ bytes: [UInt8]) -> Entries {
    let changed = sample.map { $0.name == name ? (name, bytes) : $0 }
    return files(changed) { files in
      files = files.map { listed in
        guard listed["path"]?.string == name, let role = listed["role"]?.string else { return listed }
        return file(name, role, bytes)
      }
    }
  }
}
