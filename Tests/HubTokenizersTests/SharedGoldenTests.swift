import HubManifest
import HubTokenizers
import Testing

@Suite(.enabled(if: Files.hasShared, "the shared data is not here")) struct SharedGoldenTests {
  static let folders = [
    "bert-base-cased", "bert-base-uncased", "bert-base-multilingual-cased", "bert-base-chinese",
  ]

  @Test(arguments: folders) func `tokenizer.json gives what Hugging Face gives`(folder: String) throws {
    let shared = try #require(Files.shared)
    try check(TokenizerFile.load(folder: shared + folder), shared + folder)
  }

  @Test(arguments: folders) func `vocab.txt gives what Hugging Face gives`(folder: String) throws {
    let shared = try #require(Files.shared)
    try check(TokenizerFile.load(vocabulary: shared + folder + "/vocab.txt"), shared + folder)
  }

  @Test func `the uncased vocabulary gives what Hugging Face gives for MiniLM`() throws {
    let shared = try #require(Files.shared)
    try check(TokenizerFile.load(vocabulary: shared + "bert-base-uncased/vocab.txt", lowercase: true), shared + "all-minilm-l6-v2")
  }

  private func check(_ tokenizer: any Tokenizer, _ folder: String) throws {
    let lines = try Golden.lines(folder + "/golden.jsonl")
    let differences = try lines.flatMap { try $0.differences(tokenizer) }
    #expect(differences.isEmpty, "\(differences.count) of \(lines.count) lines: \(differences.prefix(8).joined(separator: "\n"))")
    print("\(folder.split(separator: "/").last ?? ""): \(lines.count) lines")
  }

  @Test func `truncation and windows are those of Hugging Face`() throws {
    let folder = try #require(Files.shared) + "bert-base-multilingual-cased"
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
        let encodings = try tokenizer.windows(try #require(line.text), pair: line.pair, maxLength: maxLength, overlap: line.overlap)
        #expect(encodings.count == windows.count)
        for (encoding, window) in zip(encodings, windows) {
          #expect(line.differences(from: encoding, tokenizer, expected: window) == [])
        }
        cut += 1
      }
    }
    print("truncated: \(truncated) lines, cut into windows: \(cut) lines")
  }
}
