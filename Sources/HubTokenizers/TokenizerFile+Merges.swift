import HubModels
import HubWords

extension TokenizerFile {
  /// Reads `vocab.json` and `merges.txt`, as GPT-2's and RoBERTa's authors wrote them: tokens and their ids, and one
  /// merge a line. With `<s>` and `</s>` in the vocabulary it is RoBERTa's tokenizer, otherwise GPT-2's, which adds no
  /// tokens.
  ///
  /// - Parameter path: of `vocab.json`; `tokenizer_config.json` beside it is read if there is one.
  /// - Throws: ``Failure`` for files that are missing, too large or contradict each other.
  public static func load(vocabulary path: String, merges mergesPath: String) throws -> any Tokenizer {
    let vocabulary = try object(path)
    let merges = try FileBytes.read(mergesPath)
    let config = try TokenizerConfig(besides: path)
    let model = try BPE(
      vocabulary: locating(path) { try Self.vocabulary(vocabulary) },
      merges: locating(mergesPath) { try Self.merges(lines: merges) })
    return try locating(path) { try pipeline(model, config) }
  }

  static func pipeline(_ model: BPE, _ config: TokenizerConfig) throws -> TokenizerPipeline {
    try config.checkClass(ModelFamilies.tokenizerClasses(.bytePairs) + ["GPT2Tokenizer", "BartTokenizer"])
    var vocabulary = model.vocabulary
    let special = config.specialIDs(in: vocabulary, unknown: nil)
    let space = config.addsPrefixSpace ?? false
    var (added, postProcessor) = ([vocabulary.id(of: "<|endoftext|>")], TemplateProcessor.none)
    if let cls = special.cls, let sep = special.sep {
      added = [cls, special.pad, sep, special.unk]
      postProcessor = try .roberta(cls: cls, sep: sep)
      postProcessor.trimming = SpaceTrimming(addsPrefixSpace: space) { model.vocabulary.token($0) }
    }
    func token(_ id: Int32) -> AddedTokens.Token {
      AddedTokens.Token(id: id, content: model.vocabulary.token(id) ?? "", takesSpaceBefore: id == special.mask)
    }
    let tokens = try config.addedTokens((added + [special.mask]).compactMap(\.self).map(token), joining: &vocabulary)
    return TokenizerPipeline(
      preTokenizer: ByteLevel(addsPrefixSpace: space), model: model, postProcessor: postProcessor,
      decoder: ByteLevelDecoder(),
      vocabulary: vocabulary, addedTokens: try AddedTokens(tokens, normalizer: nil), specialIDs: special,
      truncatesAtStart: config.truncatesAtStart)
  }

  /// One merge a line, after a line that says the version.
  private static func merges(lines bytes: [UInt8]) throws -> [(left: String, right: String)] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.malformedVocabulary, "the file is not UTF-8")
    }
    return try text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
      index, line in
      if line.isEmpty || index == 0 && line.starts(with: "#version".unicodeScalars) { return nil }
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw Failure(.malformedVocabulary, "expected two tokens", at: "line \(index + 1)")
      }
      return (String(parts[0]), String(parts[1]))
    }
  }
}
