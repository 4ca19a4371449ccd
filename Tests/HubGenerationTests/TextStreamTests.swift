import HubTokenizers
import HubWords
import Testing

@testable import HubGeneration

@Suite struct TextStreamTests {
  private func stream(_ tokenizer: any Tokenizer, _ ids: [Int32], stops: [String] = []) -> [String] {
    var stream = TextStream(tokenizer, stopStrings: stops)
    return ids.map { stream.append($0) } + [stream.finish()]
  }

  @Test func `characters come whole`() throws {
    let tokenizer = try TestTokenizers.bytes()
    let text = "é😀a中", ids = text.utf8.map { Int32($0) }
    #expect(stream(tokenizer, ids) == ["", "é", "", "", "", "😀", "a", "", "", "中", ""])
    // What is cut off in the middle of a character is shown when nothing follows.
    #expect(stream(tokenizer, Array(ids.prefix(1))) == ["", "\u{FFFD}"])
    let broken: [Int32] = [0x61, 0xF0, 0x9F, 0x62, 0xE4, 0xE4, 0x63, 256, 0x64]
    #expect(stream(tokenizer, broken).joined() == tokenizer.decode(broken))
  }

  @Test func `a text that stops is cut off, and its beginning held back`() throws {
    let tokenizer = try TestTokenizers.bytes()
    func ids(_ text: String) -> [Int32] { text.utf8.map { Int32($0) } }
    #expect(stream(tokenizer, ids("ab\n\ncd"), stops: ["\n\n"]) == ["a", "b", "", "", "", "", ""])
    #expect(stream(tokenizer, ids("ab\ncd"), stops: ["\n\n"]).joined() == "ab\ncd")
    #expect(stream(tokenizer, ids("aab"), stops: ["ab", "x"]).joined() == "a")
    #expect(stream(tokenizer, ids("ab\n"), stops: ["\n\n"]).joined() == "ab\n")
  }

  @Test func `searches end at a text that stops`() throws {
    let tokenizer = try TestTokenizers.bytes(["lo w"])
    func ending(_ stops: [String]) -> Ending {
      var options = GenerationOptions()
      (options.stopStrings, options.maxNewTokens) = (stops, 10)
      return Ending(options, promptCount: 1, tokenizer: tokenizer)
    }
    var text = WrittenText(prompt: [Int32(UInt8(ascii: "o"))])
    text.tokens += [0x68, 0x65, 0x6C, 256]
    #expect(ending(["o w"]).reason(text) == .stop)
    #expect(ending(["hello "]).reason(text) == .stop)
    #expect(ending(["ello w"]).reason(text) == .stop)
    #expect(ending(["ohello", "hel", "o wo"]).reason(text) == nil)
    text.tokens.append(0x6F)
    #expect(ending(["o w"]).reason(text) == nil)
    #expect(ending(["o wo"]).reason(text) == .stop)
  }
}
