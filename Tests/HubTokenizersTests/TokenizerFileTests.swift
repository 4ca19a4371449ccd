import HubWords
import Testing

@testable import HubTokenizers

@Suite struct TokenizerFileTests {
  /// A small tokenizer.json that is fine.
  static let fine = """
    {"added_tokens": [{"id": 1, "content": "[CLS]", "special": true}],
     "normalizer": {"type": "BertNormalizer", "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"},
     "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
     "decoder": {"type": "WordPiece"}, "truncation": {"max_length": 1}, "padding": {"strategy": {"Fixed": 128}},
     "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##b": 4}}}
    """

  static func load(_ text: String) throws -> TokenizerPipeline {
    try TokenizerFile.pipeline(JSONObject(JSON(parsing: text)), TokenizerConfig())
  }

  @Test func `the file's own truncation and padding do not matter`() throws {
    let encoding = try Self.load(Self.fine).encode("ABB a c")
    #expect(encoding.ids == [1, 3, 4, 4, 3, 0, 2])
    #expect(encoding.wordIDs == [nil, 0, 0, 0, 1, 2, nil])
  }

  /// What is replaced in the fine file, by what, and what must come of it.
  static let spoilt: [(String, String, Failure.Code)] = [
    (#"b": 4"#, #"b": 3"#, .malformedVocabulary),
    (#"b": 4"#, #"b": -1"#, .malformedVocabulary),
    (#"b": 4"#, #"b": 4000000000"#, .malformedVocabulary),
    (#"b": 4"#, #"b": 99999999"#, .malformedVocabulary),
    (#"b": 4"#, #"b": "4""#, .malformedVocabulary),
    (#""[SEP]": 2"#, #""a": 2"#, .malformedJSON),
    (#""[UNK]": 0"#, #""UNK": 0"#, .malformedVocabulary),
    (#""unk_token": "[UNK]""#, #""unk_token": "?""#, .malformedVocabulary),
    (#""unk_token": "[UNK]""#, #""max_input_chars_per_word": -1"#, .unexpectedJSON),
    (#""unk_token": "[UNK]""#, #""max_input_chars_per_word": 10000000"#, .unexpectedJSON),
    ("[CLS]", String(repeating: "x", count: 1025), .excessiveTokenizer),
    (#""type": "WordPiece", "unk_token""#, #""type": "WordLevel", "unk_token""#, .unsupportedTokenizer),
    (#""type": "WordPiece", "unk_token""#, #""unk_token""#, .unsupportedTokenizer),
    ("BertNormalizer", "Nmt", .unsupportedTokenizer),
    ("BertPreTokenizer", "UnicodeScripts", .unsupportedTokenizer),
    ("BertProcessing", "Several", .unsupportedTokenizer),
    (#""decoder": {"type": "WordPiece"}"#, #""decoder": {"type": "CTC"}"#, .unsupportedTokenizer),
    (#""lowercase": true"#, #""lowercase": 1"#, .unexpectedJSON),
    (#"{"id": 1, "content""#, #"{"id": 2, "content""#, .malformedVocabulary),
    (#"{"id": 1, "content": "[CLS]""#, #"{"id": 3, "content": "new""#, .malformedVocabulary),
    (#"{"id": 1, "content": "[CLS]""#, #"{"id": -9, "content": "new""#, .malformedVocabulary),
    (#"{"id": 1, "content": "[CLS]""#, #"{"id": 9223372036854775807, "content": "new""#, .malformedVocabulary),
    (#"["[SEP]", 2]"#, #"["[SEP]", 3]"#, .malformedTemplate),
    (#"["[SEP]", 2]"#, #"["[SEP]", 5000000000]"#, .malformedTemplate),
    (#"["[SEP]", 2]"#, #"[2, "[SEP]"]"#, .unexpectedJSON),
    (#""model": {"#, #""model": null, "other": {"#, .unexpectedJSON),
  ]

  @Test(arguments: spoilt.indices) func `a file that contradicts itself is refused`(index: Int) throws {
    let (old, new, code) = Self.spoilt[index]
    let text = Self.replacing(old, by: new, in: Self.fine)
    #expect(text != Self.fine)
    #expect(failureCode { try Self.load(text) } == code, "\(old) -> \(new)")
  }

  @Test func `no change of one byte does harm`() throws {
    let bytes = Array(Self.fine.utf8)
    for index in bytes.indices {
      for byte in [UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "#"), UInt8(ascii: "a"), 0xC3] {
        var changed = bytes
        changed[index] = byte
        do {
          let tokenizer = try TokenizerFile.pipeline(JSONObject(JSON(parsing: changed)), TokenizerConfig())
          let encoding = try tokenizer.encode("[CLS]abb\u{301} é##", pair: "日本", maxLength: 9)
          _ = tokenizer.decode(encoding.ids)
        } catch is Failure {}
      }
    }
  }

  static let template = #"{"type": "TemplateProcessing", "single": SINGLE, "pair": PAIR, "special_tokens": SPECIAL}"#
  static let a = #"{"Sequence": {"id": "A", "type_id": 0}}"#
  static let b = #"{"Sequence": {"id": "B", "type_id": 1}}"#
  static let sep = #"{"SpecialToken": {"id": "[SEP]", "type_id": 0}}"#
  static let special = #"{"[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}"#

  static func load(single: String, pair: String, special: String = special) throws -> TokenizerPipeline {
    let processor = replacing(
      "SINGLE", by: single, in: replacing("PAIR", by: pair, in: replacing("SPECIAL", by: special, in: template)))
    return try load(
      replacing(#"{"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]}"#, by: processor, in: fine))
  }

  @Test func `templates may have any order`() throws {
    let tokenizer = try Self.load(single: "[\(Self.a), \(Self.sep)]", pair: "[\(Self.b), \(Self.sep), \(Self.a)]")
    #expect(try tokenizer.encode("a").ids == [3, 2])
    let pair = try tokenizer.encode("a", pair: "ab")
    #expect(pair.ids == [3, 4, 2, 3])
    #expect(pair.typeIDs == [1, 1, 0, 0])
    #expect(pair.sequences == [1, 1, nil, 0])
  }

  @Test func `templates that name unknown tokens or lose text are refused`() {
    let (a, b, sep) = (Self.a, Self.b, Self.sep)
    let pair = "[\(a), \(b)]"
    let cases: [(String, String, String)] = [
      ("[]", pair, Self.special), ("[\(b)]", pair, Self.special), ("[\(a), \(a)]", pair, Self.special),
      ("[\(a)]", "[\(a)]", Self.special), ("[\(a), \(sep)]", pair, "{}"),
      ("[\(a), \(sep)]", pair, #"{"[SEP]": {"ids": [3], "tokens": ["[SEP]"]}}"#),
      ("[\(a), \(sep)]", pair, #"{"[SEP]": {"ids": [2, 2], "tokens": ["[SEP]"]}}"#),
      ("[\(a), \(sep)]", pair, #"{"[SEP]": {"ids": [-2], "tokens": ["[SEP]"]}}"#),
      (#"[{"Sequence": {"id": "C", "type_id": 0}}]"#, pair, Self.special),
      (#"[{"Sequence": {"id": "A", "type_id": -1}}]"#, pair, Self.special),
    ]
    for (single, pair, special) in cases {
      #expect(
        failureCode { try Self.load(single: single, pair: pair, special: special) } == .malformedTemplate,
        "\(single) \(special)")
    }
    #expect(failureCode { try Self.load(single: "[{}]", pair: pair) } == .unexpectedJSON)
    #expect(failureCode { try Self.load(single: "[1]", pair: pair) } == .unexpectedJSON)
  }

  @Test func `without normaliser, post-processor and decoder the text is one word`() throws {
    let tokenizer = try Self.load(#"{"model": {"max_input_chars_per_word": 3, "vocab": {"[UNK]": 0, "a b": 1}}}"#)
    #expect(try tokenizer.encode("a b", pair: "a bc").ids == [1, 0])
    #expect(try tokenizer.encode("a b", pair: "a b").typeIDs == [0, 1])
    #expect(try tokenizer.encode("").ids == [])
    #expect(tokenizer.decode([1, 0]) == "a b [UNK]")
  }

  /// A role's token that the vocabulary lacks gets the next id, as in `transformers`.
  @Test func `tokenizer_config.json names roles, as text or objects, and may state any number`() throws {
    let text =
      #"{"sep_token": "a", "pad_token": {"content": "[SEP]"}, "mask_token": null, "cls_token": "none", "model_max_length": 1e30}"#
    var config = TokenizerConfig()
    try config.merge(JSONObject(JSON(parsing: text)))
    let tokenizer = try TokenizerFile.pipeline(JSONObject(JSON(parsing: Self.fine)), config)
    #expect(tokenizer.specialIDs == SpecialIDs(pad: 2, cls: 5, sep: 3, unk: 0))
  }

  @Test(arguments: ["a\nb\na\n", "[CLS]\n[SEP]\n", "[UNK]\n[SEP]\n", "[UNK]\n[CLS]\n", ""])
  func `vocab.txt without its special tokens, or with one twice, is refused`(lines: String) {
    let load = { try TokenizerFile.pipeline(vocabularyLines: Array(lines.utf8), TokenizerConfig(), lowercase: nil) }
    #expect(failureCode(load) == .malformedVocabulary)
  }

  @Test func `vocab.txt that is not UTF-8 is refused`() {
    let load = { try TokenizerFile.pipeline(vocabularyLines: [0x61, 0xFF, 0x0A], TokenizerConfig(), lowercase: nil) }
    #expect(failureCode(load) == .malformedVocabulary)
  }

  @Test func `files that are not there or no files are refused by name`() {
    #expect(failureCode { try TokenizerFile.load(folder: Files.fixtures + "none") } == .missingTokenizer)
    #expect(failureCode { try TokenizerFile.load(vocabulary: Files.fixtures + "none.txt") } == .missingTokenizer)
    #expect(failureCode { try TokenizerFile.load(tokenizerJSON: Files.fixtures) } == .unreadableTokenizer)
  }

  private static func replacing(_ old: String, by new: String, in text: String) -> String {
    guard let range = text.firstRange(of: old) else { return text }
    return text.replacingCharacters(in: range, by: new)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, by new: String) -> String {
    self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}
