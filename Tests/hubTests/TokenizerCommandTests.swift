import Foundation
import HubTesting
import HubWords
import Testing

@Suite struct TokenizerCommandTests {
  let hub: Program

  init() throws {
    hub = try Program()
    try hub.scratch.file("one.txt", Array(String(repeating: "Wasser wasser\n", count: 3).utf8))
    try hub.scratch.file("two.txt", Array("maji Maji\n".utf8))
  }

  @Test func aVocabularyIsMadeOfTexts() throws {
    let made = try hub("tokenizer", "train", "one.txt", "two.txt", "-o", "made", "--vocabulary", "60", "--lowercase")
    #expect(made.status == 0)
    #expect(made.output == "one.txt\t3\t6\t75.0 %\ntwo.txt\t1\t2\t25.0 %\nmade: 27 pieces, 8 characters\n")
    #expect(made.errors.contains("the vocabulary is smaller"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: hub.scratch("made")).sorted() == [
        "tokenizer.json", "tokenizer_config.json", "vocab.txt",
      ])
    let lines = String(decoding: try hub.scratch.bytes("made/vocab.txt"), as: UTF8.self).split(separator: "\n")
    #expect(lines.prefix(5) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    #expect(lines.contains("wasser") && lines.contains("maji"))
  }

  @Test func theReportIsJSONWithShares() throws {
    let made = try hub(
      "tokenizer", "train", "one.txt", "two.txt", "--output", "made", "--vocabulary", "60", "--balance", "0", "--json")
    let json = try JSONObject(JSON(parsing: made.output))
    #expect(try json.string("schema") == "hub.tokenizer.train/1")
    #expect(try json.integer("alphabet") == 10)
    #expect(try json.array("files").allSatisfy { abs(($0["share"]?.number ?? 0) - 0.5) < 1e-4 })
  }

  @Test(arguments: [
    (["one.txt", "--vocabulary", "7"], 64, "pieces are needed"),
    (["one.txt", "--vocabulary", "60", "--balance", "2"], 64, "between 0 and 1"),
    (["absent.txt", "--vocabulary", "60"], 66, "absent.txt"),
    (["empty.txt", "--vocabulary", "60"], 65, "empty.txt"),
    (["one.txt", "binary", "--vocabulary", "60"], 65, "binary: line 2"),
    (["."], 64, "--vocabulary"),
    (["one.txt", "--vocabulary", "60", "-o", "no/such"], 66, "at: no"),
  ])
  func whatIsWrongIsSaidAndNothingIsWritten(_ arguments: [String], _ status: Int, _ text: String) throws {
    try hub.scratch.file("empty.txt", [])
    try hub.scratch.file("binary", [0x61, 0x0A, 0x80, 0x81])
    let before = hub.scratch.listing
    let result = try hub.run(["tokenizer", "train", "-o", "made"] + arguments)
    #expect(result.status == Int32(status))
    #expect(result.errors.contains(text), "\(result.errors)")
    #expect(hub.scratch.listing == before)
  }

  @Test func aFolderWithSomethingInItIsLeftAlone() throws {
    try hub.scratch.file("made/notes", [0x61])
    let result = try hub("tokenizer", "train", "one.txt", "-o", "made", "--vocabulary", "60")
    #expect(result.status == 73)
    #expect(try hub.scratch.bytes("made/notes") == [0x61])
  }
}
