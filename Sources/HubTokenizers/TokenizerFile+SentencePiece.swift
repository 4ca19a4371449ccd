import HubModels
import HubWords

extension TokenizerFile {
  /// Reads XLM-R's `sentencepiece.bpe.model`: the model of SentencePiece's, a protocol buffer, with the ids that
  /// fairseq gave its tokens: `<s>`, `<pad>`, `</s>` and `<unk>` first, then the file's from its fourth on, `<mask>`
  /// last.
  ///
  /// - Parameter path: of the file; `tokenizer_config.json` beside it is read if there is one.
  /// - Throws: ``Failure`` for a file that is missing, too large, no unigram model, or contradicts itself, and for one
  ///   that `tokenizer_config.json` says is another family's, whose tokens have other ids.
  public static func load(sentencePiece path: String) throws -> any Tokenizer {
    let bytes = try FileBytes.read(path)
    let config = try TokenizerConfig(besides: path)
    return try locating(path) { try pipeline(SentencePieceModel(bytes), config) }
  }

  static func pipeline(_ file: SentencePieceModel, _ config: TokenizerConfig) throws -> TokenizerPipeline {
    try config.checkClass(ModelFamilies.tokenizerClasses(.unigrams))
    let first = ["<s>", "<pad>", "</s>", "<unk>"]
    let model = try Unigram(tokens: first.map { ($0, 0) } + file.pieces.dropFirst(3) + [("<mask>", 0)], unknown: 3)
    var vocabulary = model.vocabulary
    let tidy: [any Normalizer] = [Strip(left: false), Replace(pattern: .spaces(atLeast: 2), content: Array("▁".utf8))]
    let normalizer = NormalizerSequence(parts: (file.table.isEmpty ? [] : [try Precompiled(table: file.table)]) + tidy)
    let mask = AddedTokens.Token(id: Int32(vocabulary.idBound - 1), content: "<mask>", takesSpaceBefore: true)
    let added = try config.addedTokens(
      first.enumerated().map { .init(id: Int32($0), content: $1) } + [mask], joining: &vocabulary)
    return TokenizerPipeline(
      normalizer: normalizer, preTokenizer: Metaspace(), model: model, postProcessor: try .roberta(cls: 0, sep: 2),
      decoder: MetaspaceDecoder(metaspace: Metaspace()), vocabulary: vocabulary,
      addedTokens: try AddedTokens(added, normalizer: normalizer),
      specialIDs: config.specialIDs(in: vocabulary, unknown: 3), truncatesAtStart: config.truncatesAtStart)
  }
}

/// What a model of SentencePiece's holds, as far as text is cut by it (`sentencepiece_model.proto`).
struct SentencePieceModel {
  /// Tokens and their log probabilities; the first three are its own special tokens.
  private(set) var pieces: [(token: String, score: Double)] = []
  /// What characters become before text is cut; empty for nothing.
  private(set) var table: [UInt8] = []

  /// - Throws: ``Failure`` with ``Failure/Code/malformedVocabulary`` or ``Failure/Code/unsupportedTokenizer``.
  init(_ bytes: [UInt8]) throws {
    var kind = 1
    for field in try Self.fields(bytes[...]) {
      switch (field.number, field.value) {
      case (1, .bytes(let piece)): pieces.append(try Self.piece(piece))
      case (2, .bytes(let trainer)):
        kind = try Self.fields(trainer).reduce(kind) { $1.number == 3 ? $1.value.integer ?? $0 : $0 }
      case (3, .bytes(let normalizer)):
        for case (2, .bytes(let bytes)) in try Self.fields(normalizer).map({ ($0.number, $0.value) }) {
          table = Array(bytes)
        }
      default: break
      }
    }
    guard kind == 1 else {
      throw Failure(.unsupportedTokenizer, "the model is not a unigram model", hint: "give tokenizer.json")
    }
    guard pieces.count >= 3 else { throw Failure(.malformedVocabulary, "the file has \(pieces.count) tokens") }
  }

  private static func piece(_ bytes: ArraySlice<UInt8>) throws -> (String, Double) {
    var (token, score): (String?, Double) = (nil, 0)
    for field in try fields(bytes) {
      switch (field.number, field.value) {
      case (1, .bytes(let text)): token = String(validating: text, as: UTF8.self)
      case (2, .fixed32(let bits)): score = Double(Float(bitPattern: bits))
      default: break
      }
    }
    guard let token, score.isFinite else {
      throw Failure(.malformedVocabulary, "a token is not UTF-8, or its score is not a number")
    }
    return (token, score)
  }
}

// MARK: - Protocol buffers

extension SentencePieceModel {
  private enum Value {
    case integer(UInt64)
    case fixed32(UInt32)
    case bytes(ArraySlice<UInt8>)
    case fixed64

    var integer: Int? { if case .integer(let value) = self { Int(exactly: value) } else { nil } }
  }

  /// The fields of a message, in order.
  private static func fields(_ message: ArraySlice<UInt8>) throws -> [(number: UInt64, value: Value)] {
    var rest = message
    var fields: [(UInt64, Value)] = []
    while !rest.isEmpty {
      let key = try variableInteger(&rest)
      let value: Value =
        switch key & 7 {
        case 0: .integer(try variableInteger(&rest))
        case 1: try taking(8, from: &rest) { _ in .fixed64 }
        case 2: .bytes(try taking(variableInteger(&rest), from: &rest) { $0 })
        case 5: .fixed32(try taking(4, from: &rest) { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } })
        default: throw malformed
        }
      fields.append((key >> 3, value))
    }
    return fields
  }

  private static func variableInteger(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw malformed }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw malformed
  }

  private static func taking<T>(
    _ count: UInt64, from rest: inout ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) -> T
  ) throws -> T {
    guard count <= UInt64(rest.count) else { throw malformed }
    defer { rest = rest.dropFirst(Int(count)) }
    return body(rest.prefix(Int(count)))
  }

  private static var malformed: Failure {
    Failure(.malformedVocabulary, "the file is not a protocol buffer, or is cut short")
  }
}
