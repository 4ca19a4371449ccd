import Foundation
import HubWords
import Testing

@testable import HubTokenizers

@Suite(.enabled(if: Files.hasShared, "the shared data is not here")) struct SharedGoldenTests {
  static let folders = [
    "bert-base-cased", "bert-base-uncased", "bert-base-multilingual-cased", "bert-base-chinese", "roberta-base", "gpt2",
    "xlmr-trimmed-32k", "t5-legal-fr-en", "barthez", "pegasus", "albert", "xlnet-base-cased",
  ]

  @Test(arguments: folders) func `tokenizer.json gives what Hugging Face gives`(folder: String) throws {
    let shared = try #require(Files.shared)
    try check(TokenizerFile.load(folder: shared + folder), shared + folder)
  }

  @Test func `XLM-R's tokenizer.json gives what Hugging Face gives, in its older form too`() throws {
    let shared = try #require(Files.shared) + "xlm-roberta-base"
    let whole = try JSON(parsing: unpacked(shared + "/tokenizer.json.gz"), limits: Self.large)
    try check(tokenizer(whole), shared)
    var older = try #require(
      JSON(parsing: read(shared + "/tokenizer.hubstyle.novocab.json"), limits: Self.large).object)
    var model = try #require(older["model"]?.object)
    model["vocab"] = whole["model"]?["vocab"]
    older["model"] = .object(model)
    try check(tokenizer(.object(older)), shared, "golden-hubstyle.jsonl")
  }

  private static let large = JSON.Limits(bytes: 64 << 20, values: 4_000_000)

  private func tokenizer(_ json: JSON) throws -> any Tokenizer {
    try TokenizerFile.pipeline(JSONObject(json), TokenizerConfig())
  }

  private func unpacked(_ path: String) throws -> [UInt8] {
    let (gzip, output) = (Process(), Pipe())
    gzip.executableURL = URL(filePath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-dc", path]
    gzip.standardOutput = output
    try gzip.run()
    return try Array(output.fileHandleForReading.readToEnd() ?? Data())
  }

  @Test(arguments: folders.prefix(4)) func `vocab.txt gives what Hugging Face gives`(folder: String) throws {
    let shared = try #require(Files.shared)
    try check(TokenizerFile.load(vocabulary: shared + folder + "/vocab.txt"), shared + folder)
  }

  @Test(arguments: ["roberta-base", "gpt2"]) func `vocab.json and merges.txt give what Hugging Face gives`(
    folder: String
  ) throws {
    let shared = try #require(Files.shared) + folder
    try check(TokenizerFile.load(vocabulary: shared + "/vocab.json", merges: shared + "/merges.txt"), shared)
  }

  @Test func `XLM-R's sentencepiece.bpe.model gives what Hugging Face gives`() throws {
    let shared = try #require(Files.shared) + "xlm-roberta-base"
    // There a mask is looked for in normalised text, which only a tokenizer that was made by hand does.
    try check(TokenizerFile.load(folder: shared), shared) {
      $0.text?.contains("mask") != true && $0.pair?.contains("mask") != true
    }
  }

  @Test func `the uncased vocabulary gives what Hugging Face gives for MiniLM`() throws {
    let shared = try #require(Files.shared)
    try check(
      TokenizerFile.load(vocabulary: shared + "bert-base-uncased/vocab.txt", lowercase: true),
      shared + "all-minilm-l6-v2")
  }

  private func check(
    _ tokenizer: any Tokenizer, _ folder: String, _ name: String = "golden.jsonl",
    where isMeant: (Golden) -> Bool = { _ in true }
  ) throws {
    let lines = try Golden.lines(folder + "/" + name).filter(isMeant)
    #expect(lines.count > 400)
    let differences = try lines.flatMap { try $0.differences(tokenizer) }
    #expect(
      differences.isEmpty,
      "\(differences.count) of \(lines.count) lines: \(differences.prefix(8).joined(separator: "\n"))")
    print("\(folder.split(separator: "/").last ?? ""): \(lines.count) lines")
  }

  @Test(arguments: ["bert-base-multilingual-cased", "roberta-base"])
  func `truncation and windows are those of Hugging Face`(name: String) throws {
    let folder = try #require(Files.shared) + name
    let tokenizer = try TokenizerFile.load(folder: folder)
    var (truncated, cut) = (0, 0)
    for line in try Golden.lines(folder + "/golden-truncation.jsonl") {
      let windows = try line.json.array("windows").map { try JSONObject($0) }
      let (strategy, maxLength) = (try line.json.string("strategy"), try #require(line.maxLength))
      if strategy == "longest_first" || line.pair == nil {
        let encoding = try tokenizer.encode(try #require(line.text), pair: line.pair, maxLength: maxLength)
        #expect(line.differences(from: encoding, tokenizer, expected: windows.first) == [])
        truncated += 1
      }
      if strategy == "only_second" || line.pair == nil {
        let encodings = try tokenizer.windows(
          try #require(line.text), pair: line.pair, maxLength: maxLength, overlap: line.overlap)
        #expect(encodings.count == windows.count)
        for (encoding, window) in zip(encodings, windows) {
          #expect(line.differences(from: encoding, tokenizer, expected: window) == [])
        }
        cut += 1
      }
    }
    print("\(name), truncated: \(truncated) lines, cut into windows: \(cut) lines")
  }
}
