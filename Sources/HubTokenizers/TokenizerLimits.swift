public import HubWords

/// The limits of tokenizers and of what they make of a text.
extension InputLimits {
  /// Bytes of a tokenizer's file.
  public static let tokenizerBytes = 64 << 20
  /// Values in the JSON of `tokenizer.json`.
  public static let tokenizerValues = 4_000_000
  /// Ids of a vocabulary.
  public static let tokenIDs = 1 << 22
  /// Bytes of a token, in UTF-8.
  public static let tokenBytes = 1024
  /// Bytes of all added tokens.
  public static let addedTokensBytes = 4 << 20
  /// The most that a file may ask for as the longest word, in characters, that is still cut into tokens.
  public static let wordCharacters = 1000
  /// Parts of a sequence of normalizers, pre-tokenizers or decoders.
  public static let tokenizerParts = 8
  /// Bytes of a text that is replaced, or replaces.
  public static let replacementBytes = 64
  /// Bytes of a normalised text for each byte that was given.
  public static let textGrowth = 16
  /// Different words, counted once a file, of the texts that a vocabulary is made of.
  public static let trainingWords = 8_000_000
  /// Bytes of all of them.
  public static let trainingWordBytes = 128 << 20

  /// The limits of tokenizers, as `hub limits` prints them.
  public static let tokenizers: [InputLimit] = [
    InputLimit("tokenizer: a file", tokenizerBytes, .bytes),
    InputLimit("tokenizer: values of its JSON", tokenizerValues, .count),
    InputLimit("tokenizer: ids", tokenIDs, .count),
    InputLimit("tokenizer: a token", tokenBytes, .bytes),
    InputLimit("tokenizer: added tokens", addedTokensBytes, .bytes),
    InputLimit("tokenizer: characters of a word that is cut", wordCharacters, .count),
    InputLimit("tokenizer: parts of a sequence", tokenizerParts, .count),
    InputLimit("tokenizer: a text that is replaced, or replaces", replacementBytes, .bytes),
    InputLimit("tokenizer: bytes of a normalised text for each that was given", textGrowth, .count),
    InputLimit("tokenizer: different words to train on", trainingWords, .count),
    InputLimit("tokenizer: bytes of the words to train on", trainingWordBytes, .bytes),
  ]
}
