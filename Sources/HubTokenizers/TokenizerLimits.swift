public import HubWords

/// The limits of tokenizers and of what they make of a text.
extension InputLimits {
  public static let tokenizerBytes = 64 << 20
  public static let tokenizerValues = 4_000_000
  public static let tokenIDs = 1 << 22
  public static let tokenBytes = 1024
  public static let addedTokensBytes = 4 << 20
  public static let wordCharacters = 1000
  public static let tokenizerParts = 8
  public static let replacementBytes = 64
  public static let textGrowth = 16

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
  ]
}
