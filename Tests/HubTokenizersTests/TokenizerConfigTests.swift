import Foundation
import HubWords
import HubTokenizers
import Testing

/// What the files beside a vocabulary say of it.
@Suite struct TokenizerConfigTests {
  /// The tokenizer of a folder with these files.
  private func load(_ files: [String: String]) throws -> any Tokenizer {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    return try TokenizerFile.load(folder: folder.path)
  }

  static let words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n[unused1]\n"

  @Test func `tokens that were added are found, and get their ids`() throws {
    let stated =
      #"{"added_tokens_decoder": {"9": {"content": "<e1>", "special": false}, "4": {"content": "[MASK]", "special": true, "lstrip": true}}}"#
    let newer = try load(["vocab.txt": Self.words, "tokenizer_config.json": stated])
    #expect(try newer.encode("a<e1> [MASK]b").ids == [2, 5, 9, 4, 6, 3])
    #expect(try newer.encode("a [MASK]").offsets[2] == 1..<8)
    #expect(newer.vocabularySize == 10)
    let older = try load(["vocab.txt": Self.words, "added_tokens.json": #"{"<E1>": 9}"#])
    #expect(try older.encode("a<e1>").ids == [2, 5, 9, 3])
    let special = try load([
      "vocab.txt": Self.words, "special_tokens_map.json": #"{"additional_special_tokens": ["[unused1]"]}"#,
    ])
    #expect(try special.encode("[unused1]").ids == [2, 8, 3])
  }

  @Test(arguments: [
    #"{"tokenizer_class": "BertJapaneseTokenizer"}"#, #"{"do_basic_tokenize": false}"#, #"{"never_split": ["U.S."]}"#,
  ]) func `a vocabulary that is cut in other ways is refused`(config: String) {
    #expect(
      failureCode { try load(["vocab.txt": Self.words, "tokenizer_config.json": config]) } == .unsupportedTokenizer)
  }

  @Test func `files of other families are refused`() throws {
    let (vocabulary, merges) = (#"{"<s>": 0, "</s>": 1, "a": 2}"#, "#version: 0.2\n")
    func load(_ name: String) throws -> any Tokenizer {
      try self.load([
        "vocab.json": vocabulary, "merges.txt": merges, "tokenizer_config.json": #"{"tokenizer_class": "\#(name)"}"#,
      ])
    }
    #expect(try load("RobertaTokenizerFast").encode("a").ids == [0, 2, 1])
    #expect(failureCode { try load("CLIPTokenizer") } == .unsupportedTokenizer)
  }

  @Test func `what tokenizer_config.json states goes before tokenizer.json`() throws {
    let spaced = try load([
      "tokenizer.json": SubwordFileTests.bytePairs, "tokenizer_config.json": #"{"add_prefix_space": true}"#,
    ])
    #expect(try spaced.encode("ab").ids == [0, 6, 1])
    let cased = try load([
      "tokenizer.json": TokenizerFileTests.fine, "tokenizer_config.json": #"{"do_lower_case": false}"#,
    ])
    #expect(try cased.encode("A a").ids == [1, 0, 3, 2])
  }

  @Test(arguments: [
    #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#, #"{"added_tokens_decoder": {"9": {"content": "a"}}}"#,
    #"{"added_tokens_decoder": {"-1": {"content": "new"}}}"#,
  ]) func `added tokens that contradict the vocabulary are refused`(config: String) {
    #expect(
      failureCode { try load(["vocab.txt": Self.words, "tokenizer_config.json": config]) } == .malformedVocabulary)
  }
}
