import HubArchive
import HubWords
import HubTesting
import HubWeights
import Testing

@testable import HubBundle

/// Compositions that must be refused, each made from the golden one by one change.
enum BadCompositions {
  typealias Entries = BadBundles.Entries

  static func all() throws -> [(name: String, code: String, entries: Entries)] {
    let good = try entries(), members = try members(good), nested = try wrapped(good)
    let language = "samples/language@1.0.0", sentiment = "samples/sentiment@1.0.0", fusion = "samples/fusion@1.0.0"
    let (bad, invalid) = ("bundle/bad-composition", "manifest/invalid")
    func dependency(_ index: Int, _ change: JSON.Members) -> Entries {
      dependencies(good) { $0[index] = .object(($0[index].object ?? [:]).with(change)) }
    }
    return [
      ("member-missing", "bundle/missing-file", good.filter { !$0.name.hasPrefix(members[1]) }),
      (
        "member-changed", "bundle/changed-file",
        changing(good, members[1] + "weights.safetensors") { $0[$0.count - 1] ^= 1 }
      ),
      (
        "member-other", "bundle/changed-file",
        changing(good, members[1] + "manifest.json") { $0.append(0x0A) }.filter { !$0.name.contains("signatures/") }
      ),
      (
        "member-signed-wrongly", "bundle/bad-signature",
        changing(good, members[1] + "manifest.json") { $0.append(0x0A) }
      ),
      ("member-and-more", "bundle/unlisted-file", good + [(members[0] + "more", [1])]),
      ("beside-members", "bundle/unlisted-file", good + [("members/README", [1])]),
      ("nested", bad, nested),
      ("of-itself", invalid, dependency(0, ["name": "samples/composition"])),
      ("of-nothing", invalid, dependencies(good) { $0 = [] }),
      (
        "too-many", invalid,
        dependencies(good) { list in list = (0..<65).map { list[0].with("range", .string("=1.0.\($0)")) } }
      ),
      ("member-twice", invalid, dependencies(good) { $0.append($0[0]) }),
      ("without-digest", invalid, dependency(0, ["digest": .null])),
      ("version-open", invalid, dependency(0, ["range": "^1.0.0"])),
      ("digest-malformed", "digest/malformed", dependency(0, ["digest": "sha256:../../x"])),
      ("version-other", bad, dependency(0, ["range": "=1.0.1"])),
      ("names-another", bad, setup(good, "stack(\(language), \(sentiment), \(fusion), other@1.0.0)")),
      ("leaves-one-out", bad, setup(good, "stack(\(language), \(sentiment))")),
      ("fusion-as-adapter", bad, setup(good, "stack(\(language), \(sentiment), \(fusion))")),
      ("fuses-others", bad, setup(good, "fuse(\(language), \(sentiment), name=\(fusion))")),
      ("fuses-by-an-adapter", bad, setup(good, "fuse(\(language), \(fusion), name=\(sentiment))")),
      ("spaced", bad, setup(good, Sample.setup + " ")),
      ("not-a-setup", bad, setup(good, "fuse(")),
      ("too-deep", bad, setup(good, "stack(average(stack(average(\(language), \(sentiment)))))")),
      ("dropped-deep", bad, setup(good, String(repeating: "drop(0, ", count: 8000))),
      ("setup-long", bad, setup(good, Sample.setup + String(repeating: ")", count: 1 << 16))),
      ("head-not-inside", bad, config(good, ["setup": .string(Sample.setup), "head": "other@1.0.0"])),
      ("without-setup", "json/unexpected", config(good, [:])),
      (
        "with-weights", bad,
        BadBundles.replacing(
          good, "weights.safetensors",
          try SafetensorsWriter.bytes(of: [StoredTensor(name: "x", shape: [1], floats: [1])]))
      ),
      ("of-another-base", bad, BadBundles.manifest(good) { $0["base"] = ["architecture": "bert", "hiddenSize": 8] }),
    ]
  }

  /// The golden composition with another setup, for what two readers say of it.
  static func archive(setup text: String) throws -> [UInt8] { try BadBundles.tar(setup(entries(), text)) }

  private static func entries() throws -> Entries {
    let scratch = try Scratch()
    let builder = try #require(Sample.kinds().first { $0.name == "composition" }).builder
    let bundle = try builder.write(to: scratch("bundle"))
    let names = bundle.files.map(\.name.text).filter { $0 != "manifest.json" }.sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    return try (["manifest.json"] + names).map { ($0, try scratch.bytes("bundle/\($0)")) }
  }

  /// The folders of the members, in the order of the manifest.
  private static func members(_ good: Entries) throws -> [String] {
    try Manifest(parsing: good[0].bytes).composed.map { MemberFolders.folder(of: $0.digest) }
  }

  /// A composition whose only member is the golden one.
  private static func wrapped(_ good: Entries) throws -> Entries {
    let digest = Digest(of: good[0].bytes), own = good.filter { !$0.name.hasPrefix("members/") }
    let outer = config(
      dependencies(own) {
        $0 = [["name": "inner", "range": "=1.0.0", "role": "member", "digest": .string(digest.description)]]
      }, ["setup": "inner@1.0.0"])
    return outer + good.map { (MemberFolders.folder(of: digest) + $0.name, $0.bytes) }
  }

  private static func changing(_ good: Entries, _ name: String, _ change: (inout [UInt8]) -> Void) -> Entries {
    good.map { entry in
      var bytes = entry.bytes
      if entry.name == name { change(&bytes) }
      return (entry.name, bytes)
    }
  }

  private static func dependencies(_ good: Entries, _ change: (inout [JSON]) -> Void) -> Entries {
    BadBundles.manifest(good) { members in
      var list = members["dependencies"]?.array ?? []
      change(&list)
      members["dependencies"] = .array(list)
    }
  }

  private static func setup(_ good: Entries, _ text: String) -> Entries { config(good, ["setup": .string(text)]) }

  private static func config(_ good: Entries, _ members: JSON.Members) -> Entries {
    BadBundles.replacing(good, "config.json", Array(JSON.object(members).text().utf8))
  }
}

extension JSON {
  fileprivate func with(_ key: String, _ value: JSON) -> JSON { .object((object ?? [:]).with([key: value])) }
}
