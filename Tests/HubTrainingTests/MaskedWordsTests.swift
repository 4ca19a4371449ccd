import HubTesting
import HubTokenizers
import HubTraining
import HubWords
import Testing

@Suite struct MaskedWordsTests {
  static let tokenizer = #"""
    {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
       {"id": 0, "content": "[PAD]", "special": true}, {"id": 1, "content": "[UNK]", "special": true},
       {"id": 2, "content": "[CLS]", "special": true}, {"id": 3, "content": "[SEP]", "special": true},
       {"id": 4, "content": "[MASK]", "special": true}],
     "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
       "lowercase": false},
     "pre_tokenizer": {"type": "BertPreTokenizer"},
     "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
     "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
     "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
       "max_input_chars_per_word": 100,
       "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "ein": 5, "##e": 6, "a": 7, "day": 8}}}
    """#

  private func examples(_ columns: JSON.Members, length: Int) throws -> [TrainingExample] {
    let scratch = try Scratch()
    let path = try scratch.file("tokenizer.json", Array(Self.tokenizer.utf8))
    let encoder = ExampleEncoder(
      tokenizer: try TokenizerFile.load(tokenizerJSON: path), maximumLength: length, labels: [])
    return try MaskedWordsObjective.examples(of: DataRow(columns, file: "texts", line: 1), encoder)
  }

  private func words(_ example: TrainingExample) -> [Range<Int>] {
    if case .words(let words) = example.target { words } else { [] }
  }

  @Test func aTextAndItsTranslationAreOneSequence() throws {
    let found = try examples(["text": "eine ein", "pair": "a day"], length: 16)
    #expect(found.count == 1)
    #expect(found[0].sequences[0].ids == [2, 5, 6, 5, 3, 7, 8, 3])
    #expect(found[0].sequences[0].typeIDs == [0, 0, 0, 0, 0, 1, 1, 1])
    #expect(words(found[0]) == [1..<3, 3..<4, 5..<6, 6..<7])
  }

  @Test func pairsAreCutAndTextsBecomeWindows() throws {
    #expect(try examples(["text": "ein ein ein", "pair": "a day a"], length: 7).map(\.sequences[0].ids.count) == [7])
    #expect(
      try examples(["text": "ein a day a"], length: 4).map(\.sequences[0].ids) == [[2, 5, 7, 3], [2, 8, 7, 3]])
  }

  @Test func anEmptyTranslationIsRefused() {
    #expect(throws: Failure.self) { try examples(["text": "ein", "pair": " "], length: 8) }
  }
}
