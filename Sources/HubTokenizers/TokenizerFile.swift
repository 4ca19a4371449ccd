import HubModels
import HubWeights
import HubWords

/// Makes tokenizers from the files that come with models: `tokenizer.json` of Hugging Face's `tokenizers` library, or
/// what it was made from: BERT's `vocab.txt`, RoBERTa's `vocab.json` and `merges.txt`, XLM-R's
/// `sentencepiece.bpe.model`.
///
/// ```swift
/// let tokenizer = try TokenizerFile.load(folder: "bert-base-cased")
/// let encoding = try tokenizer.encode("Hello, world!")
/// ```
public enum TokenizerFile {
  /// Reads the tokenizer of a model's folder: `tokenizer.json`, or else `vocab.txt`, `vocab.json` with `merges.txt`, or
  /// `sentencepiece.bpe.model`. `tokenizer_config.json` and `special_tokens_map.json` beside them say which special
  /// tokens have which role, and how the others are meant.
  ///
  /// - Throws: ``Failure``, naming the file: ``Failure/Code/missingTokenizer`` if there is none; others as
  ///   ``load(tokenizerJSON:)``, ``load(vocabulary:lowercase:)``, ``load(vocabulary:merges:)`` and
  ///   ``load(sentencePiece:)``.
  public static func load(folder: String) throws -> any Tokenizer {
    func has(_ name: String) -> Bool { FileBytes.exists("\(folder)/\(name)") }
    if let name = GGUFFile.name(in: folder) { return try load(gguf: "\(folder)/\(name)") }
    if has("tokenizer.json") { return try load(tokenizerJSON: "\(folder)/tokenizer.json") }
    if has("vocab.txt") { return try load(vocabulary: "\(folder)/vocab.txt") }
    if has("vocab.json"), has("merges.txt") {
      return try load(vocabulary: "\(folder)/vocab.json", merges: "\(folder)/merges.txt")
    }
    if has("sentencepiece.bpe.model") { return try load(sentencePiece: "\(folder)/sentencepiece.bpe.model") }
    throw Failure(
      .missingTokenizer,
      "the folder has no tokenizer.json, vocab.txt, vocab.json with merges.txt, or sentencepiece.bpe.model",
      at: folder, hint: "download tokenizer.json from where the model comes from, and add the model again")
  }

  /// What the files of a model's folder say of its tokenizer that is neither honoured nor known to change nothing, one
  /// sentence each.
  ///
  /// - Throws: as ``load(folder:)`` for these files.
  public static func notes(folder: String) throws -> [String] {
    try TokenizerConfig(besides: "\(folder)/tokenizer.json").unknownKeys.map {
      "the option \($0) of the tokenizer is unknown, and not honoured"
    }
  }

  /// Reads a `tokenizer.json`. The truncation and padding that it may state are ignored: the caller decides.
  ///
  /// - Parameter path: of the file; `tokenizer_config.json` beside it is read if there is one.
  /// - Throws: ``Failure`` with ``Failure/Code/unsupportedTokenizer`` for a part that Dovetail does not have, and
  ///   with other codes for a file that is missing, too large or contradicts itself.
  public static func load(tokenizerJSON path: String) throws -> any Tokenizer {
    let json = try object(path)
    let config = try TokenizerConfig(besides: path)
    return try locating(path) { try pipeline(json, config) }
  }

  /// Reads a `vocab.txt`: one token a line, its id being the number of the line from 0, as BERT's authors wrote it.
  ///
  /// - Parameters:
  ///   - path: of the file; `tokenizer_config.json` beside it is read if there is one.
  ///   - lowercase: whether the model knows lower case only; `nil` to believe `do_lower_case` of
  ///     `tokenizer_config.json`, and true without, as Hugging Face's BERT tokenizers assume.
  /// - Throws: ``Failure``, among others ``Failure/Code/malformedVocabulary`` if `[UNK]`, `[CLS]` or
  ///   `[SEP]` is not there. Of a token that appears twice, the last line counts.
  public static func load(vocabulary path: String, lowercase: Bool? = nil) throws -> any Tokenizer {
    let bytes = try FileBytes.read(path)
    let config = try TokenizerConfig(besides: path)
    return try locating(path) { try pipeline(vocabularyLines: bytes, config, lowercase: lowercase) }
  }

  /// A JSON file whose root is an object.
  static func object(_ path: String) throws -> JSONObject {
    let bytes = try FileBytes.read(path)
    return try locating(path) {
      try JSONObject(
        JSON(
          parsing: bytes,
          limits: .init(bytes: InputLimits.tokenizerBytes, values: InputLimits.tokenizerValues, roundsIntegers: true)))
    }
  }
}

// MARK: - tokenizer.json

extension TokenizerFile {
  static func pipeline(_ json: JSONObject, _ config: TokenizerConfig) throws -> TokenizerPipeline {
    let model = try model(json.object("model"))
    let normalizer = try json.optionalObject("normalizer").map { config.corrected(try Self.normalizer($0)) }
    var vocabulary = model.vocabulary
    let added = try config.addedTokens(besides: addedTokens(json), in: vocabulary)
    for token in added { try token.join(&vocabulary) }
    let tokens = vocabulary
    var postProcessor =
      try json.optionalObject("post_processor").map { try Self.postProcessor($0) { tokens.token($0) } } ?? .none
    if let space = config.addsPrefixSpace { postProcessor.trimming?.addsPrefixSpace = space }
    return TokenizerPipeline(
      normalizer: normalizer,
      preTokenizer: try json.optionalObject("pre_tokenizer").map { config.corrected(try Self.preTokenizer($0)) }
        ?? WholeText(),
      model: model,
      postProcessor: postProcessor,
      decoder: try json.optionalObject("decoder").map(decoder) ?? SpacedTokens(),
      vocabulary: vocabulary,
      addedTokens: try AddedTokens(added, normalizer: normalizer),
      specialIDs: config.specialIDs(in: vocabulary, unknown: model.unknownID),
      truncatesAtStart: config.truncatesAtStart)
  }

  private static func addedTokens(_ json: JSONObject) throws -> [AddedTokens.Token] {
    let entries = try json.optional("added_tokens", "an array") { $0.array } ?? []
    let tokens = try entries.enumerated().map { index, entry in
      let entry = try JSONObject(entry, path: "added_tokens[\(index)]")
      return try AddedTokens.Token(entry, id: entry.integer("id"))
    }
    try checkSize(of: tokens)
    return tokens.filter { !$0.content.isEmpty }
  }

  static func checkSize(of tokens: [AddedTokens.Token]) throws {
    let lengths = tokens.map(\.content.utf8.count)
    guard lengths.allSatisfy({ $0 <= InputLimits.tokenBytes }), lengths.reduce(0, +) <= InputLimits.addedTokensBytes
    else {
      throw Failure(
        .excessiveTokenizer,
        "an added token is longer than \(InputLimits.tokenBytes) bytes, or all together are longer than \(InputLimits.addedTokensBytes)"
      )
    }
  }
}

extension AddedTokens.Token {
  /// Reads an element of `added_tokens`, or a value of `added_tokens_decoder`.
  init(_ json: JSONObject, id value: Int) throws {
    guard let id = Int32(exactly: value) else {
      throw Failure(.malformedVocabulary, "the id \(value) is out of range", at: json.path)
    }
    let isSpecial = try json.optionalBool("special") ?? false
    self.init(
      id: id,
      content: try json.string("content"),
      isSpecial: isSpecial,
      isNormalized: try json.optionalBool("normalized") ?? !isSpecial,
      standsAlone: try json.optionalBool("single_word") ?? false,
      takesSpaceBefore: try json.optionalBool("lstrip") ?? false,
      takesSpaceBehind: try json.optionalBool("rstrip") ?? false)
  }

  /// Makes sure that the vocabulary has this token with this id.
  func join(_ vocabulary: inout Vocabulary) throws {
    guard let known = vocabulary.id(of: content) else { return try vocabulary.insert(content.utf8, id: Int(id)) }
    guard known == id else {
      throw Failure(
        .malformedVocabulary, "the added token has the id \(id), but its id in the vocabulary is \(known)",
        at: content.debugDescription)
    }
  }
}

// MARK: - vocab.txt

extension TokenizerFile {
  static func pipeline(
    vocabularyLines bytes: [UInt8], _ config: TokenizerConfig, lowercase: Bool?
  ) throws -> TokenizerPipeline {
    try config.checkClass(ModelFamilies.tokenizerClasses(.wordPieces))
    guard !config.cutsOtherwise else {
      throw Failure(
        .unsupportedTokenizer, "do_basic_tokenize and never_split of tokenizer_config.json are not supported",
        hint: "give tokenizer.json")
    }
    let words = try vocabulary(lines: bytes)
    var vocabulary = words
    let specialIDs = config.specialIDs(in: vocabulary, unknown: nil)
    guard let unk = specialIDs.unk, let unknownToken = vocabulary.token(unk) else { throw missing("unknown") }
    guard let cls = specialIDs.cls else { throw missing("classification") }
    guard let sep = specialIDs.sep else { throw missing("separation") }
    let lowercases = lowercase ?? config.lowercases ?? true
    let normalizer = BertNormalizer(
      separatesIdeographs: config.separatesIdeographs ?? true, stripsAccents: config.stripsAccents ?? lowercases,
      lowercases: lowercases)
    let usual = [specialIDs.pad, unk, cls, sep, specialIDs.mask].compactMap { id in
      id.flatMap { id in words.token(id).map { AddedTokens.Token(id: id, content: $0) } }
    }
    let added = try config.addedTokens(usual, joining: &vocabulary)
    return TokenizerPipeline(
      normalizer: normalizer,
      preTokenizer: BertPreTokenizer(),
      model: try WordPiece(vocabulary: words, unknownToken: unknownToken),
      postProcessor: try .bert(cls: cls, sep: sep),
      decoder: WordPieceDecoder(),
      vocabulary: vocabulary,
      addedTokens: try AddedTokens(added, normalizer: normalizer),
      specialIDs: specialIDs, truncatesAtStart: config.truncatesAtStart)
  }

  private static func missing(_ role: String) -> Failure {
    Failure(.malformedVocabulary, "the vocabulary has no \(role) token")
  }

  /// One token a line, without the white space after it.
  private static func vocabulary(lines bytes: [UInt8]) throws -> Vocabulary {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Failure(.malformedVocabulary, "the file is not UTF-8")
    }
    var tokens: [ArraySlice<UInt8>] = [], start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      tokens.append(trimmed(bytes[start..<end]))
      start = end + 1
    }
    // Of lines with the same token the last one counts, as in `transformers`.
    let last = Dictionary(tokens.enumerated().map { ($1, $0) }) { $1 }
    var vocabulary = Vocabulary(minimumCapacity: min(tokens.count, 1 << 16))
    for (id, token) in tokens.enumerated() where last[token] == id {
      try locating("line \(id + 1)") { try vocabulary.insert(token, id: id) }
    }
    return vocabulary
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = Substring(decoding: line, as: UTF8.self).unicodeScalars
    while let last = text.last, last.isSpace { text.removeLast() }
    return line.prefix(text.reduce(0) { $0 + UTF8.width($1) })
  }
}
