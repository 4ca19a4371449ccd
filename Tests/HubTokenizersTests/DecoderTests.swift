import Foundation
import HubWords
import Testing

@testable import HubTokenizers

@Suite struct DecoderTests {
  static let kinds = ["llama3", "qwen2", "smollm", "cased", "several", "llama", "gemma", "albert"]

  @Test(arguments: kinds) func `the tokenizers of decoders give what Hugging Face gives`(kind: String) throws {
    let folder = ProcessInfo.processInfo.environment["DECODER_GOLDENS"] ?? Files.fixtures + "decoders"
    let tokenizer = try TokenizerFile.load(folder: "\(folder)/\(kind)")
    let lines = try Golden.lines("\(folder)/\(kind)/golden.jsonl")
    #expect(lines.count > 50)
    let differences = try lines.flatMap { try $0.differences(tokenizer) }
    #expect(
      differences.isEmpty,
      "\(differences.count) of \(lines.count) lines: \(differences.prefix(8).joined(separator: "\n"))")
  }

  @Test(arguments: kinds) func `the bytes of tokens make up the text`(kind: String) throws {
    let tokenizer = try TokenizerFile.load(folder: Files.fixtures + "decoders/" + kind)
    for line in try Golden.lines(Files.fixtures + "decoders/\(kind)/golden.jsonl") {
      let ids = try tokenizer.encode(line.text ?? "").ids
      // A special token at the beginning has no text, and the one after it is then the first.
      let shown = ids.filter { !tokenizer.bytes(of: $0, isFirst: false).isEmpty }
      let bytes = shown.enumerated().flatMap { tokenizer.bytes(of: $1, isFirst: $0 == 0) }
      #expect(String(decoding: bytes, as: UTF8.self) == tokenizer.decode(ids), "\(kind): \(line.text ?? "")")
    }
  }

  @Test(arguments: [
    "(?<=a)b", "\\bx", "a*?", "[[:alpha:]]", "\\p{Greek}", "(a", "a)", "[a", "\\1", "(?=x)", "a{3,2}", "(ab)+", "*",
    "\\",
  ])
  func `regular expressions of another kind are refused`(expression: String) {
    let failure = #expect(throws: Failure.self) { try SplitPattern(expression) }
    #expect(failure?.code == .unsupportedTokenizer)
  }

  @Test func `bytes that are not UTF-8 are shown one by one`() {
    let decoder = ByteFallbackDecoder()
    #expect(decoder.decode(["<0xE4>", "<0xBD>", "<0xA0>", "x"]) == "你x")
    #expect(decoder.decode(["<0xE4>", "<0xBD>", "x"]) == "\u{FFFD}\u{FFFD}x")
    #expect(decoder.decode(["<0x+1>", "<0x4>", "<0xG0>"]) == "<0x+1><0x4><0xG0>")
    #expect(StripDecoder(scalar: " ", start: 1, stop: 2).decode(["  a   ", " ", ""]) == " a ")
  }
}
