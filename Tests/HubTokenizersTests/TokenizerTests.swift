import HubWords
import HubTokenizers
import Testing

@Suite struct TokenizerTests {
  @Test(arguments: ["uncased", "cased", "added", "pieces", "bytes", "bytes-prefixed"])
  func `texts, pairs, words and shortened ones are what Hugging Face gives`(folder: String) throws {
    let tokenizer = try TokenizerFile.load(folder: Files.fixtures + folder)
    let lines = try Golden.lines(Files.fixtures + folder + "/golden.jsonl")
    let differences = try lines.flatMap { try $0.differences(tokenizer) }
    #expect(differences.isEmpty, "\(differences.prefix(8).joined(separator: "\n"))")
  }

  @Test func `vocab.txt gives the same as tokenizer.json`() throws {
    let tokenizer = try TokenizerFile.load(vocabulary: Files.fixtures + "uncased/vocab.txt")
    let lines = try Golden.lines(Files.fixtures + "uncased/golden.jsonl")
    #expect(try lines.flatMap { try $0.differences(tokenizer) } == [])
  }

  @Test func `vocab.json with merges.txt and sentencepiece.bpe.model give the same as tokenizer.json`() throws {
    let bytes = try TokenizerFile.load(
      vocabulary: Files.fixtures + "bytes/vocab.json", merges: Files.fixtures + "bytes/merges.txt")
    #expect(try Golden.lines(Files.fixtures + "bytes/golden.jsonl").flatMap { try $0.differences(bytes) } == [])
    let pieces = try TokenizerFile.load(sentencePiece: Files.fixtures + "pieces/sentencepiece.bpe.model")
    let differences = try Golden.lines(Files.fixtures + "pieces/golden.jsonl").flatMap { try $0.differences(pieces) }
    #expect(differences.isEmpty, "\(differences.prefix(8).joined(separator: "\n"))")
  }

  @Test func `tokens and ids are looked up both ways`() throws {
    let tokenizer = try TokenizerFile.load(folder: Files.fixtures + "added")
    #expect(tokenizer.specialIDs == SpecialIDs(pad: 0, cls: 2, sep: 3, mask: 4, unk: 1))
    for id in 0..<Int32(tokenizer.vocabularySize) {
      let token = try #require(tokenizer.token(id))
      #expect(tokenizer.id(of: token) == id)
    }
    #expect(tokenizer.token(-1) == nil)
    #expect(tokenizer.token(Int32(tokenizer.vocabularySize)) == nil)
    #expect(tokenizer.id(of: "no such token") == nil)
  }

  @Test func `decoding skips ids that do not exist, and special tokens on request`() throws {
    let tokenizer = try TokenizerFile.load(folder: Files.fixtures + "uncased")
    let ids = try tokenizer.encode("a, b").ids
    #expect(tokenizer.decode(ids + [-5, .max]) == "a, b")
    #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == "[CLS] a, b [SEP]")
    #expect(tokenizer.decode([]) == "")
  }

  @Test func `lengths that do not hold the special tokens are refused`() throws {
    let tokenizer = try TokenizerFile.load(folder: Files.fixtures + "uncased")
    for length in [-1, 0, 1] {
      #expect(failureCode { try tokenizer.encode("a", pair: nil, maxLength: length) } == .insufficientLength)
    }
    #expect(failureCode { try tokenizer.encode("a", pair: "b", maxLength: 2) } == .insufficientLength)
    #expect(try tokenizer.encode("a", pair: "b", maxLength: 3).count == 3)
    #expect(failureCode { try tokenizer.windows("a b c", pair: nil, maxLength: 4, overlap: 2) } == .insufficientLength)
    #expect(failureCode { try tokenizer.windows("a b c", pair: nil, maxLength: 4, overlap: -1) } == .insufficientLength)
    #expect(failureCode { try tokenizer.windows("a b c", pair: "d", maxLength: 6, overlap: 0) } == .insufficientLength)
  }

  @Test func `windows cover a text, or the second of a pair`() throws {
    let tokenizer = try TokenizerFile.load(folder: Files.fixtures + "uncased")
    func texts(_ windows: [Encoding]) -> [String] { windows.map { tokenizer.decode($0.ids) } }
    #expect(texts(try tokenizer.windows("a b c d e", pair: nil, maxLength: 5, overlap: 1)) == ["a b c", "c d e"])
    #expect(texts(try tokenizer.windows("x", pair: "a b c", maxLength: 6, overlap: 0)) == ["x a b", "x c"])
    #expect(texts(try tokenizer.windows("", pair: nil, maxLength: 5, overlap: 0)) == [""])
  }
}

/// The code of the failure that `body` throws.
func failureCode(_ body: () throws -> some Any) -> Failure.Code? {
  do {
    _ = try body()
    return nil
  } catch {
    return (error as? Failure)?.code
  }
}
