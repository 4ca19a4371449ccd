import HubWeights
import HubWords

extension TokenizerFile {
  /// Reads the tokenizer in the metadata of a GGUF file: byte pairs of GPT-2's kind (`gpt2`), or SentencePiece's with
  /// scores (`llama`).
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/unsupportedTokenizer`` for another kind, others for what contradicts
  ///   itself
  public static func load(gguf path: String) throws -> any Tokenizer {
    let file = try GGUFFile(path)
    return try locating(path) { try GGUFTokenizer(file).pipeline() }
  }
}

/// The keys `tokenizer.ggml.*` of a GGUF file.
private struct GGUFTokenizer {
  private let file: GGUFFile
  private let tokens: [String]
  private let kinds: [Int]

  /// The kinds of tokens that matter here.
  private enum Kind { static let unknown = 2, control = 3, userDefined = 4 }

  init(_ file: GGUFFile) throws {
    self.file = file
    tokens = try file.required("tokenizer.ggml.tokens", "a list of texts") { $0.strings }
    kinds =
      try file.optional("tokenizer.ggml.token_type", "a list of integers") { $0.integers } ?? tokens.map { _ in 1 }
    guard kinds.count == tokens.count else {
      throw Failure(
        .malformedVocabulary, "\(tokens.count) tokens have \(kinds.count) types", at: "tokenizer.ggml.token_type")
    }
  }

  func pipeline() throws -> TokenizerPipeline {
    let kind = try file.required("tokenizer.ggml.model", "a text") { $0.string }
    switch kind {
    case "gpt2": return try bytePairs()
    case "llama": return try pieces()
    default:
      throw Failure(
        .unsupportedTokenizer, "tokenizers of the kind \(kind.debugDescription) in GGUF are not supported",
        at: "tokenizer.ggml.model")
    }
  }

  private func id(_ role: String) throws -> Int32? {
    guard let id = try file.optional("tokenizer.ggml.\(role)_token_id", "an id", { $0.integer }) else { return nil }
    guard tokens.indices.contains(id) else {
      throw Failure(
        .malformedVocabulary, "the id \(id) is not one of \(tokens.count)", at: "tokenizer.ggml.\(role)_token_id")
    }
    return Int32(id)
  }

  private func vocabulary() throws -> Vocabulary {
    var vocabulary = Vocabulary(minimumCapacity: tokens.count)
    for (id, token) in tokens.enumerated() { try vocabulary.insert(token.utf8, id: id) }
    return vocabulary
  }

  private func pipeline(
    _ model: BPE, normalizer: (any Normalizer)?, _ preTokenizer: any PreTokenizer, _ decoder: any TokenDecoder,
    beginsByItself: Bool
  ) throws -> TokenizerPipeline {
    let special = SpecialIDs(
      pad: try id("padding"), cls: try id("bos"), sep: try id("eos"), mask: try id("mask"), unk: try id("unknown"))
    let added = zip(tokens, kinds).enumerated().compactMap { id, token -> AddedTokens.Token? in
      let (content, kind) = token
      guard kind == Kind.control || kind == Kind.userDefined || kind == Kind.unknown, !content.isEmpty else {
        return nil
      }
      return AddedTokens.Token(id: Int32(id), content: content, isSpecial: kind != Kind.userDefined)
    }
    try TokenizerFile.checkSize(of: added)
    return TokenizerPipeline(
      normalizer: normalizer, preTokenizer: preTokenizer, model: model,
      postProcessor: try postProcessor(special, beginsByItself), decoder: decoder, vocabulary: model.vocabulary,
      addedTokens: try AddedTokens(added, normalizer: nil), specialIDs: special)
  }

  /// What stands around a text, as `add_bos_token` and `add_eos_token` say.
  private func postProcessor(_ special: SpecialIDs, _ beginsByItself: Bool) throws -> TemplateProcessor {
    let begins = try file.optional("tokenizer.ggml.add_bos_token", "true or false") { $0.bool } ?? beginsByItself
    let ends = try file.optional("tokenizer.ggml.add_eos_token", "true or false") { $0.bool } ?? false
    let before = begins ? special.cls.map { [TemplateProcessor.Piece.special(id: $0, typeID: 0)] } ?? [] : []
    let after = ends ? special.sep.map { [TemplateProcessor.Piece.special(id: $0, typeID: 0)] } ?? [] : []
    let single = before + [.text(0, typeID: 0)] + after
    return try TemplateProcessor(single: single, pair: single + before + [.text(1, typeID: 0)] + after)
  }

  // MARK: gpt2

  private static let llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private func bytePairs() throws -> TokenizerPipeline {
    let lines = try file.required("tokenizer.ggml.merges", "a list of texts") { $0.strings }
    let merges = try lines.enumerated().map { index, line in
      let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else {
        throw Failure(.malformedVocabulary, "expected two tokens", at: "tokenizer.ggml.merges[\(index)]")
      }
      return (parts[0], parts[1])
    }
    let kind = try file.optional("tokenizer.ggml.pre", "a text") { $0.string } ?? "gpt-2"
    let model = try BPE(vocabulary: vocabulary(), merges: merges, prefersWholeWords: kind == "llama-bpe")
    return try pipeline(
      model, normalizer: kind == "qwen2" ? UnicodeForm.composed : nil, cutting(kind), ByteLevelDecoder(),
      beginsByItself: kind == "llama-bpe")
  }

  /// How words are cut, by the name that `tokenizer.ggml.pre` gives it.
  private func cutting(_ kind: String) throws -> any PreTokenizer {
    let byBytes = ByteLevel(addsPrefixSpace: false, cutsWords: false)
    func split(_ expression: String) throws -> any PreTokenizer {
      PreTokenizerSequence(parts: [
        Split(search: .pattern(try SplitPattern(expression)), behavior: .isolated), byBytes,
      ])
    }
    switch kind {
    case "gpt-2": return ByteLevel(addsPrefixSpace: false)
    case "smollm":
      return PreTokenizerSequence(parts: [
        Split(search: .digits(together: false), behavior: .isolated), ByteLevel(addsPrefixSpace: false),
      ])
    case "llama-bpe", "llama3", "llama-v3": return try split(Self.llama3)
    case "qwen2": return try split(Self.llama3.replacing("{1,3}", with: ""))
    default:
      throw Failure(
        .unsupportedTokenizer, "the pre-tokenizer \(kind.debugDescription) is not supported", at: "tokenizer.ggml.pre",
        hint: "supported: gpt-2, smollm, llama-bpe, qwen2")
    }
  }

  // MARK: llama

  private func pieces() throws -> TokenizerPipeline {
    let scores = try file.required("tokenizer.ggml.scores", "a list of numbers") { $0.numbers }
    guard scores.count == tokens.count else {
      throw Failure(
        .malformedVocabulary, "\(tokens.count) tokens have \(scores.count) scores", at: "tokenizer.ggml.scores")
    }
    let vocabulary = try vocabulary()
    let model = try BPE(
      vocabulary: vocabulary, merges: merges(scores, vocabulary), unknownID: id("unknown"), fusesUnknown: true,
      fallsBackOnBytes: true)
    let mark = Array("▁".utf8), space = Replace(pattern: .text([UInt8(ascii: " ")]), content: mark)
    let addsSpace = try file.optional("tokenizer.ggml.add_space_prefix", "true or false") { $0.bool } ?? true
    var decoders: [any TokenDecoder] = [
      ReplaceDecoder(replacement: Replace(pattern: .text(mark), content: [UInt8(ascii: " ")])), ByteFallbackDecoder(),
      FuseDecoder(),
    ]
    if addsSpace { decoders.append(StripDecoder(scalar: " ", start: 1, stop: 0)) }
    return try pipeline(
      model, normalizer: NormalizerSequence(parts: addsSpace ? [Prepend(content: mark), space] : [space]), WholeText(),
      DecoderSequence(decoders: decoders), beginsByItself: true)
  }

  /// SentencePiece merges the pair whose result has the best score: all pairs of tokens that make a token, the best
  /// first.
  private func merges(_ scores: [Double], _ vocabulary: Vocabulary) throws -> [(left: String, right: String)] {
    var merges: [(left: String, right: String, score: Double)] = []
    for (id, token) in tokens.enumerated() where kinds[id] == 1 || kinds[id] == Kind.userDefined {
      let scalars = Array(token.unicodeScalars)
      guard scalars.count <= 64 else {
        throw Failure(
          .excessiveTokenizer, "a token has \(scalars.count) characters", at: "tokenizer.ggml.tokens[\(id)]")
      }
      for place in scalars.indices.dropFirst() {
        let left = String(String.UnicodeScalarView(scalars[..<place])),
          right = String(String.UnicodeScalarView(scalars[place...]))
        if vocabulary.id(of: left) != nil, vocabulary.id(of: right) != nil { merges.append((left, right, scores[id])) }
      }
    }
    return merges.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
      .map { ($0.element.left, $0.element.right) }
  }
}
