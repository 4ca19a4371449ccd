import HubWords
import Testing

@testable import HubTokenizers

/// Files of unigram models and of byte pair encodings that contradict themselves.
@Suite struct SubwordFileTests {
  static let unigram = """
    {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": "CAAAAAABAAAAAAAAYQA="},
       {"type": "Strip", "strip_right": true}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]},
     "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁",
       "prepend_scheme": "first"}]},
     "decoder": {"type": "Metaspace", "add_prefix_space": true},
     "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["▁", -2.0], ["a", -3], ["▁ab", -4.5], ["b", -3.25]]}}
    """
  static let bytePairs = """
    {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}, "decoder": {"type": "ByteLevel"},
     "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1], "trim_offsets": true, "add_prefix_space": false},
     "model": {"type": "BPE", "unk_token": null, "continuing_subword_prefix": "", "fuse_unk": false,
       "vocab": {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4, "Ġ": 5, "Ġab": 6}, "merges": ["a b", ["Ġ", "ab"]]}}
    """

  static func load(_ text: String) throws -> TokenizerPipeline {
    try TokenizerFile.pipeline(JSONObject(JSON(parsing: text)), TokenizerConfig())
  }

  @Test func `the likeliest pieces are taken, and unknown characters in a row are one`() throws {
    let tokenizer = try Self.load(Self.unigram)
    // "▁ab" beats "▁", "a", "b"; "▁b" has no token of its own.
    #expect(try tokenizer.encode("ab b").ids == [3, 4])
    #expect(try tokenizer.encode(" xyb").ids == [0, 4])
    #expect(try tokenizer.encode(" xyb").offsets == [1..<3, 3..<4])
    #expect(tokenizer.decode([3, 1, 2]) == "ab a")
  }

  @Test func `the earliest merges go first`() throws {
    let tokenizer = try Self.load(Self.bytePairs)
    #expect(try tokenizer.encode("ab ab a").ids == [0, 4, 6, 5, 2, 1])
    #expect(try tokenizer.encode("ab ab a").offsets == [0..<0, 0..<2, 3..<5, 6..<6, 6..<7, 0..<0])
    // Bytes without a token are left out, as there is no unknown token; what stood around them are neighbours then.
    #expect(try tokenizer.encode("aéb").ids == [0, 4, 1])
    #expect(try tokenizer.encode("aéb").offsets[1] == 0..<3)
    #expect(tokenizer.decode([4, 6]) == "ab ab")
  }

  /// What is replaced in a fine file, by what, and what must come of it.
  static let spoilt: [(String, String, String, Failure.Code)] = [
    (unigram, #""unk_id": 0"#, #""unk_id": 5"#, .malformedVocabulary),
    (unigram, #""unk_id": 0"#, #""unk_id": -1"#, .malformedVocabulary),
    (unigram, #"["a", -3]"#, #"["b", -3]"#, .malformedVocabulary),
    (unigram, #"["a", -3]"#, #"["a"]"#, .malformedVocabulary),
    (unigram, #"["a", -3]"#, #"["a", "b"]"#, .malformedVocabulary),
    (unigram, #"["a", -3]"#, #"["\#(String(repeating: "x", count: 1025))", -3]"#, .excessiveTokenizer),
    (unigram, "CAAAAAABAAAAAAAAYQA=", "CAAA", .malformedNormalizer),
    (unigram, "CAAAAAABAAAAAAAAYQA=", "?", .malformedNormalizer),
    (unigram, "CAAAAAABAAAAAAAAYQA=", "/////wABAAAAAAAAYQA=", .malformedNormalizer),
    (unigram, "CAAAAAABAAAAAAAAYQA=", "AAAAAAABAAAAAAAAYQA=", .malformedNormalizer),
    (unigram, "CAAAAAABAAAAAAAAYQA=", "CAAAAAABAAAAAAAA/w==", .malformedNormalizer),
    (unigram, " {2,}", "(a|b)*", .unsupportedTokenizer),
    (unigram, #""content": "▁""#, #""content": "\#(String(repeating: "x", count: 65))""#, .excessiveTokenizer),
    (unigram, #"{"type": "WhitespaceSplit"}"#, #"{"type": "Metaspace"}"#, .unsupportedTokenizer),
    (
      unigram, #"{"type": "Strip", "strip_right": true}"#,
      Array(repeating: #"{"type": "Strip"}"#, count: 7).joined(separator: ","), .excessiveTokenizer
    ),
    (unigram, #""type": "Strip""#, #""type": "Sequence""#, .unsupportedTokenizer),
    (unigram, #""prepend_scheme": "first""#, #""prepend_scheme": "second""#, .unexpectedJSON),
    (unigram, #""replacement": "▁""#, #""replacement": "ab""#, .unexpectedJSON),
    (bytePairs, #""a b""#, #""a c""#, .malformedVocabulary),
    (bytePairs, #""a b""#, #""ab""#, .malformedVocabulary),
    (bytePairs, #""a b""#, #""b a""#, .malformedVocabulary),
    (bytePairs, #""a b""#, "7", .malformedVocabulary),
    (bytePairs, #""unk_token": null"#, #""unk_token": "?""#, .malformedVocabulary),
    (bytePairs, #""continuing_subword_prefix": """#, #""continuing_subword_prefix": "@@""#, .unsupportedTokenizer),
    (bytePairs, #"["<s>", 0]"#, #"["<s>", 1]"#, .malformedTemplate),
  ]

  @Test(arguments: spoilt.indices) func `a file that contradicts itself is refused`(index: Int) throws {
    let (fine, old, new, code) = Self.spoilt[index]
    let range = try #require(fine.firstRange(of: old))
    #expect(
      failureCode { try Self.load(fine[..<range.lowerBound] + new + fine[range.upperBound...]) } == code,
      "\(old) -> \(new)")
  }

  @Test(arguments: [unigram, bytePairs]) func `no change of one byte does harm`(fine: String) throws {
    for (index, byte) in fine.utf8.indices.flatMap({ index in "9-A".utf8.map { (index, $0) } }) {
      var changed = fine.utf8.map { $0 }
      changed[fine.utf8.distance(from: fine.utf8.startIndex, to: index)] = byte
      do {
        let tokenizer = try TokenizerFile.pipeline(JSONObject(JSON(parsing: changed)), TokenizerConfig())
        _ = tokenizer.decode(try tokenizer.encode("ab  aab\u{301} é", pair: "日本\n", maxLength: 9).ids)
      } catch is Failure {}
    }
  }

  @Test func `a model of SentencePiece's that is cut off or changed is read or refused`() throws {
    let bytes = try read(Files.fixtures + "pieces/sentencepiece.bpe.model")
    func tokens(_ bytes: [UInt8]) throws -> Int? {
      do {
        let tokenizer = try TokenizerFile.pipeline(SentencePieceModel(bytes), TokenizerConfig())
        return try tokenizer.encode("Größe  \u{FB01}\n").count
      } catch is Failure {
        return nil
      }
    }
    let whole = try #require(try tokens(bytes))
    #expect(whole > 4)
    for count in stride(from: 0, to: bytes.count, by: 97) { _ = try tokens(Array(bytes[..<count])) }
    for index in stride(from: 0, to: bytes.count, by: 61) {
      for bit in [0, 3, 7] {
        var changed = bytes
        changed[index] ^= 1 << bit
        _ = try tokens(changed)
      }
    }
    let lies: [[UInt8]] = [
      [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x0A] + Array(repeating: 0xFF, count: 10), [0x0F], [0x0D, 0], [],
    ]
    for lie in lies { #expect(failureCode { try SentencePieceModel(lie) } == .malformedVocabulary) }
  }

  @Test func `a model of another family is refused, as its ids are others`() throws {
    #expect(failureCode { try SentencePieceModel([0x12, 0x02, 0x18, 0x02]) } == .unsupportedTokenizer)
  }

  @Test func `a text that its tokenizer blows up is refused`() throws {
    let replace = #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaaaaaaaa"}"#
    let range = try #require(Self.unigram.firstRange(of: #"{"type": "Strip", "strip_right": true}"#))
    let tokenizer = try Self.load(
      Self.unigram[..<range.lowerBound] + "\(replace), \(replace), \(replace), \(replace)"
        + Self.unigram[range.upperBound...])
    #expect(failureCode { try tokenizer.encode(String(repeating: "a", count: 100)) } == .excessiveText)
    #expect(try tokenizer.encode("b").ids == [1, 4])
    let long = #"{"type": "Replace", "pattern": {"String": "a"}, "content": "\#(String(repeating: "a", count: 64))"}"#
    let alone = try TokenizerFileTests.load(
      #"{"normalizer": \#(long), "model": {"max_input_chars_per_word": 3, "vocab": {"[UNK]": 0}}}"#)
    #expect(failureCode { try alone.encode(String(repeating: "a", count: 100)) } == .excessiveText)
  }

  @Test func `a word may be long`() throws {
    let word = String(repeating: "ab", count: 20_000)
    #expect(try Self.load(Self.bytePairs).encode(word).ids == [0] + Array(repeating: 4, count: 20_000) + [1])
    #expect(try Self.load(Self.unigram).encode(word).count == 39_999)
  }
}
