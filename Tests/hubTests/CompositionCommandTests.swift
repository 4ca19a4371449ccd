import HubWords
import HubTesting
import Testing

@Suite struct CompositionCommandTests {
  let hub: Program

  init() throws {
    hub = try Program()
    for name in ["sw", "ner"] { _ = try hub("install", Program.fixture("classifier"), "--as", name) }
  }

  @Test func aCompositionIsPackedInstalledDescribedAndRemoved() throws {
    let packed = try hub(
      "pack", "--setup", "stack(sw, ner)", "--as", "pair", "--release", "1.2.0", "--language", "sw", "-o",
      "pair.adapter")
    #expect(packed.status == 0 && packed.output.hasPrefix("sha256:"))
    #expect(try hub("info", "./pair.adapter").output.contains("setup:     stack(sw@1.0.0, ner@1.0.0)"))
    let elsewhere = ["--registry", hub.scratch("elsewhere")]
    let installed = try hub.run(["install", "pair.adapter", "-q"] + elsewhere)
    #expect(
      installed.output.split(separator: "\n").map { String($0.prefix { $0 != "@" }) } == ["ner", "sw", "pair"]
        && installed.output.hasSuffix(packed.output))
    #expect(try hub.run(["install", "pair.adapter"] + elsewhere).errors.contains("pair@1.2.0 was installed already"))
    #expect(try hub.run(["list", "--kind", "composition", "-q"] + elsewhere).output == "pair@1.2.0\n")
    let info = try JSON(parsing: hub.run(["info", "pair", "--json"] + elsewhere).output)
    #expect(info["manifest"]?["dependencies"]?.array?.map { $0["name"] } == ["ner", "sw"])
    #expect(try hub.run(["lock", "pair", "-o", "pair.lock"] + elsewhere).status == 0)
    let third = try hub("install", "--locked", "pair.lock", "pair.adapter", "-q", "--registry", hub.scratch("third"))
    #expect(third.output == installed.output)
    let refused = try hub.run(["remove", "sw"] + elsewhere)
    #expect(refused.status == 77 && refused.errors.contains("hub remove pair@1.2.0"))
    #expect(try hub.run(["remove", "pair", "sw"] + elsewhere).status == 0)
    #expect(
      try hub.run(["undo"] + elsewhere).output == "sw@1.0.0\n" && hub.run(["undo"] + elsewhere).output == "pair@1.2.0\n"
    )
    #expect(try hub.run(["verify"] + elsewhere).status == 0)
  }

  @Test(arguments: [
    (["pack", "--setup", "stack(sw, ner)", "-o", "x"], 64, "--as"),
    (["pack", "a", "--setup", "sw", "--as", "x", "-o", "x"], 64, "give an adapter or --setup"),
    (["pack", "a", "--head", "ner", "-o", "x"], 64, "--head can only be used with --setup"),
    (["pack", "--setup", "stack(sw", "--as", "x", "-o", "x"], 64, "expected ',' or ')'"),
    (["pack", "--setup", "stack(sw, nerd)", "--as", "x", "-o", "x"], 66, "did you mean ner?"),
    (["pack", "--setup", "sw", "--as", "sw", "-o", "x"], 65, "a member of itself"),
    (["pack", "--setup", "base", "--as", "x", "-o", "x"], 65, "the base model alone"),
  ])
  func whatCannotBePackedIsSaid(_ arguments: [String], _ status: Int32, _ message: String) throws {
    let result = try hub.run(arguments)
    #expect(result.status == status && result.errors.contains(message), "\(result.errors)")
  }

  /// What takes one adapter takes no composition.
  @Test func aCompositionIsNotOneAdapter() throws {
    _ = try hub("pack", "--setup", "stack(sw, ner)", "--as", "pair", "-o", "pair.adapter")
    for command in [
      ["convert", "./pair.adapter", "--to", "peft", "-o", "out"], ["merge", "./pair.adapter", "sw", "-o", "out"],
    ] {
      let result = try hub.run(command)
      #expect(
        result.status == 64 && result.errors.contains("a composition consists of several adapters"), "\(result.errors)")
    }
  }
}
