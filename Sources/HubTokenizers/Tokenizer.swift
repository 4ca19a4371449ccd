public import HubWords

/// Turns text into the ids that a model was trained on, and back. Made by ``TokenizerFile``.
public protocol Tokenizer: Sendable {
  /// The tokens of a text, or of two texts that a model sees together, with special tokens around them.
  ///
  /// - Parameter maxLength: how many tokens there may be, special ones counted. The longer text is shortened first
  ///   and at its end (`truncation=True` in Hugging Face's libraries).
  /// - Throws: ``Failure`` with ``Failure/Code/insufficientLength`` if not even the special tokens fit, or with
  ///   ``Failure/Code/excessiveText``.
  func encode(_ text: String, pair: String?, maxLength: Int?) throws -> Encoding

  /// The same in windows, none of which loses text: each has at most `maxLength` tokens and repeats the last
  /// `overlap` tokens of the one before. Of a pair, only the second text is cut into windows.
  ///
  /// - Throws: as ``encode(_:pair:maxLength:)``; also ``Failure/Code/insufficientLength`` if no window can proceed.
  func windows(_ text: String, pair: String?, maxLength: Int, overlap: Int) throws -> [Encoding]

  /// The tokens of the words of a sentence, which are cut further but never joined: ``Encoding/wordIDs`` are indices
  /// into `words`, ``Encoding/offsets`` count within each word (`is_split_into_words=True`).
  func encode(words: [String], maxLength: Int?) throws -> Encoding

  /// Whether punctuation marks are words of their own in ``Encoding/wordIDs`` of a text. WordPiece's are; those of
  /// SentencePiece and of the alphabet of bytes belong to what comes before them.
  var separatesPunctuation: Bool { get }

  /// One more than the largest id: the rows of an embedding that fits.
  var vocabularySize: Int { get }
  /// The token with this id; `nil` if there is none.
  func token(_ id: Int32) -> String?
  /// The id of a token as the vocabulary spells it; `nil` if it has none.
  func id(of token: String) -> Int32?
  /// The tokens that have a role in models.
  var specialIDs: SpecialIDs { get }

  /// The text of tokens; ids without a token are skipped.
  func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String

  /// The bytes that a token adds to a text, which may be a part of a character; none for special tokens.
  ///
  /// - Parameter isFirst: whether the text begins with it: SentencePiece's first token loses its space
  func bytes(of id: Int32, isFirst: Bool) -> [UInt8]
}

extension Tokenizer {
  public func encode(_ text: String, pair: String? = nil) throws -> Encoding {
    try encode(text, pair: pair, maxLength: nil)
  }

  public func encode(words: [String]) throws -> Encoding { try encode(words: words, maxLength: nil) }

  /// The words of a text as people annotate them: what stands between white space, and each punctuation mark.
  public func words(of text: String) -> [String] {
    let bytes = Array(text.utf8)
    var aligned = AlignedText(original: bytes[...], firstScalar: 0)
    return BertPreTokenizer().split(&aligned).map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  public func decode(_ ids: [Int32]) -> String { decode(ids, skippingSpecialTokens: true) }
}

/// The ids of tokens that have a role in models, where a tokenizer has them.
public struct SpecialIDs: Hashable, Sendable {
  /// Fills sequences up to one length.
  public var pad: Int32?
  /// Begins a text; classifiers look at it.
  public var cls: Int32?
  /// Ends a text.
  public var sep: Int32?
  /// Stands for a token to be guessed.
  public var mask: Int32?
  /// Stands for what the vocabulary does not cover.
  public var unk: Int32?

  public init(pad: Int32? = nil, cls: Int32? = nil, sep: Int32? = nil, mask: Int32? = nil, unk: Int32? = nil) {
    self.pad = pad
    self.cls = cls
    self.sep = sep
    self.mask = mask
    self.unk = unk
  }
}

extension Failure.Code {
  /// The special tokens alone are more than the tokens allowed, or windows overlap by all they hold.
  public static let insufficientLength = Self("tokenizer/length", .usage)
  /// The text is too long to count its characters.
  public static let excessiveText = Self("tokenizer/text", .usage)
}
