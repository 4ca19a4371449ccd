import Foundation
import HubWords
import HubTesting
import Testing

@Suite struct CommandTests {
  let hub: Program

  init() throws { hub = try Program() }

  @Test func anAdapterIsInstalledDescribedAndRemoved() throws {
    let install = try hub("install", Program.fixture("classifier"), "--as", "task/x")
    #expect(install.status == 0)
    #expect(install.errors.isEmpty)
    let cells = install.output.split(separator: "\t").map(String.init)
    #expect(cells.prefix(4) == ["task/x", "1.0.0", "task", "seq_bn"])
    #expect(try hub("list", "-q").output == "task/x@1.0.0\n")
    #expect(try hub("ls", "--method", "lora").output.isEmpty)
    #expect(try hub("info", "task/x").output.contains("LABEL_0, LABEL_1, LABEL_2"))
    #expect(try hub("verify").status == 0)
    #expect(try hub("remove", "task/x").output == "task/x@1.0.0\n")
    #expect(try hub("gc").output.split(separator: "\n").count == 5)
    #expect(try hub("list").output.isEmpty)
  }

  @Test func jsonHasSchemaAndSortedKeys() throws {
    _ = try hub("install", Program.fixture("fusion"))
    for (arguments, schema) in [
      ("list", "hub.list/1"), ("info a+b", "hub.info/1"), ("verify", "hub.verify/1"), ("doctor", "hub.doctor/1"),
      ("model list", "hub.models/1"), ("keys list", "hub.keys/1"),
      ("alias list", "hub.aliases/1"), ("history", "hub.history/1"), ("resolve a+b", "hub.resolve/1"),
      ("outdated .", "hub.outdated/1"),
      ("limits", "hub.limits/1"), ("search bert", "hub.search/1"),
    ] {
      let words = arguments.split(separator: " ").map(String.init)
      let process = try hub.start(words + ["--json"], output: "json")
      process.waitUntilExit()
      let json = try JSON(parsing: hub.scratch.bytes("json"))
      #expect(json["schema"]?.string == schema)
      let keys = json.object?.entries.map(\.key) ?? []
      #expect(keys == keys.sorted())
    }
  }

  @Test func bundlesAreTheSameBytesWhateverTheyWerePackedFrom() throws {
    let packed = try hub("pack", Program.fixture("classifier"), "-o", "a.adapter")
    #expect(packed.status == 0)
    #expect(try hub("unpack", "a.adapter", "-o", "folder").output == packed.output)
    #expect(try hub("pack", "folder", "-o", "b.adapter").output == packed.output)
    #expect(try hub.scratch.bytes("a.adapter") == hub.scratch.bytes("b.adapter"))
    #expect(try hub("install", "b.adapter", "-q").output.hasSuffix(packed.output))
    #expect(try hub("info", "./a.adapter").output.contains(packed.output))
  }

  @Test(arguments: [
    (["frobnicate"], 64, "there is no command"),
    (["isntall", "x"], 64, "hub install"),
    (["install"], 64, "Missing expected argument"),
    (["install", "a", "b", "--as", "x"], 64, "--as"),
    (["info", "not a name"], 64, "cannot be the name"),
    (["rebuild", "classifier", "--threads", "0"], 64, "--threads must be between 1 and 256"),
    (["run", "--model", "m", "--input", "junk", "a text"], 64, "give texts or --input, not both"),
    (["generate", "--model", "m", "--format", "text", "a text"], 64, "not for texts given as arguments"),
    (["generate", "--model", "m", "--greedy", "--top-p", "0.5", "a text"], 64, "--greedy takes the best token"),
    (["install", "junk"], 65, "not a kind of archive"),
    (["install", "absent.zip"], 66, "absent.zip"),
    (["info", "absent"], 66, "no such adapter"),
    (["info", "clasifier"], 66, "did you mean classifier?"),
    (["model", "info", "absent"], 66, "no such base model"),
    (["model", "add", "."], 66, "config.json"),
    (["pack", "classifier", "-o", "junk"], 73, "--force"),
    (["pack", "classifier", "-o", "no/such/folder"], 66, "no such file or directory"),
    (["install", "fusion", "--as", "classifier"], 77, "hub remove classifier@1.0.0"),
  ])
  func failuresHaveTheirStatusAndSayWhatToDo(_ arguments: [String], _ status: Int, _ text: String) throws {
    for name in ["classifier", "fusion"] {
      try FileManager.default.createSymbolicLink(atPath: hub.scratch(name), withDestinationPath: Program.fixture(name))
    }
    try hub.scratch.file("junk", Array("junk".utf8))
    #expect(try hub("install", "classifier", "--as", "classifier").status == 0)
    let result = try hub.start(arguments, output: "output")
    result.waitUntilExit()
    let errors = String(decoding: try hub.scratch.bytes("output.errors"), as: UTF8.self)
    #expect(result.terminationStatus == Int32(status), "\(errors)")
    #expect(errors.hasPrefix("hub: error: "))
    #expect(errors.contains(text))
    #expect(try hub.scratch.bytes("output").isEmpty)
  }

  @Test func aModelWhoseTokenizerCannotBeReadIsToldOf() throws {
    try FileManager.default.copyItem(
      atPath: Program.fixture("../../ParityTests/Cases/bases/bert"), toPath: hub.scratch("model"))
    func notes() throws -> String {
      let adding = try hub.start(["model", "add", "model"], output: "output")
      adding.waitUntilExit()
      #expect(adding.terminationStatus == 0)
      return String(decoding: try hub.scratch.bytes("output.errors"), as: UTF8.self)
    }
    #expect(try notes().hasPrefix("hub: note: it answers no text: the folder has no tokenizer.json"))
    try hub.scratch.file("model/vocab.txt", Array("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe".utf8))
    _ = try hub("model", "remove", "model")
    #expect(try notes().isEmpty)
  }

  @Test func damageMakesVerifyAnswerNo() throws {
    _ = try hub("install", Program.fixture("classifier"))
    let blobs = hub.registry + "/blobs/sha256/"
    let blob = try #require((FileManager.default.subpaths(atPath: blobs) ?? []).first { $0.contains("/") })
    #expect(chmod(blobs + blob, 0o600) == 0)
    let result = try hub("verify")
    #expect(result.status == 1)
    #expect(result.output.hasPrefix("mode\ta@1.0.0: "))
  }

  @Test func signaturesAreMadeAskedForAndShown() throws {
    let key = try hub("keys", "generate", "release").output.trimmingCharacters(in: .newlines)
    _ = try hub("pack", Program.fixture("classifier"), "-o", "a.adapter")
    let digest = try hub("sign", "a.adapter", "--key", "release.key")
    #expect(digest.status == 0)
    #expect(try hub("install", "a.adapter", "--require-signature").status == 77)
    #expect(try hub("info", "./a.adapter").output.contains("signed by:  \(key) (not trusted)"))
    #expect(try hub("keys", "add", "me", key).status == 0)
    #expect(try hub("keys", "list").output.hasPrefix("me\t\(key)\tall others\t"))
    #expect(try hub("install", "a.adapter", "--require-signature").status == 0)
    #expect(try hub("info", "a").output.contains("signed by:  me\n"))
    #expect(try hub("install", Program.fixture("fusion"), "--as", "a", "--allow-downgrade").status == 77)
    #expect(try hub("keys", "remove", "me").output == "me\n")
  }

  @Test func aSignerThatTheManifestNamesCannotBeTakenAway() throws {
    _ = try hub("keys", "generate", "release")
    #expect(try hub("pack", Program.fixture("classifier"), "-o", "a.adapter", "--key", "release.key").status == 0)
    #expect(try hub("unpack", "a.adapter", "-o", "bundle").status == 0)
    #expect(try hub("install", "bundle", "--dry-run").status == 0)
    try FileManager.default.removeItem(atPath: hub.scratch("bundle/signatures"))
    let refusal = try hub("install", "bundle")
    #expect(refusal.status == 77 && refusal.errors.contains("signed the bundle, but the signature is missing"))
  }

  @Test func whatWasRemovedOrLostComesBack() throws {
    _ = try hub("install", Program.fixture("classifier"))
    #expect(try hub("remove", "a").status == 0)
    #expect(try hub("undo").output == "a@1.0.0\n")
    #expect(try hub("undo").status == 66)
    let history = try hub("history").output.split(separator: "\n").map { $0.split(separator: "\t")[1] }
    #expect(history == ["undo", "remove", "install"])
    #expect(try hub("repair").output.isEmpty)
    try FileManager.default.removeItem(atPath: hub.registry + "/registry.sqlite")
    #expect(try hub("gc").status == 65)
    #expect(try hub("repair").output == "a@1.0.0\n")
    #expect(try hub("verify").status == 0)
  }

  @Test func versionsAreResolvedLockedAndUpgraded() throws {
    for (version, name) in [("1.0.0", "old"), ("1.1.0", "new")] {
      _ = try hub(
        "pack", Program.fixture("classifier"), "-o", "\(name).adapter", "--as", "x", "--release", version, "--over",
        "lang/en@^1")
    }
    _ = try hub("install", "old.adapter")
    #expect(try hub("outdated", "new.adapter").status == 1)
    #expect(try hub("upgrade", "new.adapter").output == "x@1.0.0 -> 1.1.0\n")
    #expect(try hub("outdated", "new.adapter").status == 0)
    #expect(try hub("resolve", "x@~1.0").output == "x@1.0.0\n")
    #expect(try hub("resolve", "x", "--explain").output.contains("x@1.0.0\t") == true)
    #expect(try hub("resolve", "x@^2").status == 66)
    #expect(try hub("lock", "-o", "hub.lock").status == 0)
    _ = try hub("remove", "x@1.0.0")
    #expect(try hub("install", "--locked", "hub.lock", "new.adapter").status == 66)
    #expect(try hub("install", "--locked", "hub.lock", "new.adapter", "old.adapter").status == 0)
    #expect(try hub("lock").output == String(decoding: hub.scratch.bytes("hub.lock"), as: UTF8.self))
  }

  @Test func namesFromFilesCannotSpeakToTheTerminal() throws {
    try hub.scratch.file(
      "evil/adapter_config.json",
      Array(#"{"name": "a\u001b[31mb\u202e", "config": "pfeiffer", "model_type": "bert", "hidden_size": 8}"#.utf8))
    try hub.scratch.file("evil/adapter.safetensors", [2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8))
    let result = try hub("install", "evil")
    #expect(result.status == 65)
    #expect(!result.errors.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
  }
}
