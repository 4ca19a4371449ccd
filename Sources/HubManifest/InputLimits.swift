/// All limits on what comes in, in one place. Each is far above what honest files need and low enough that no file costs
/// more than seconds and megabytes to refuse. Code may raise one for its own call; no input can.
public enum InputLimits {
  public static let archiveBytes = 2 << 30
  public static let unpackedBytes = 2 << 30
  public static let ratio = 100
  public static let ratioFloor = 16 << 20
  public static let uncheckedBytes = 64 << 20
  public static let entries = 4096
  public static let nameBytes = 1024
  public static let componentBytes = 255
  public static let depth = 8
  /// What `zstd -19` asks for.
  public static let zstdWindow = 8 << 20

  public static let jsonBytes = 1 << 20
  public static let jsonDepth = 64
  public static let jsonValues = 100_000
  public static let jsonNumber = 64

  public static let adapterNameBytes = 128
  public static let adapterNameComponents = 3
  public static let labels = 10_000
  public static let hiddenSize = 65_536
  public static let layers = 256
  public static let signatures = 16
  public static let comparators = 16
  public static let members = 64
  public static let compositionBytes = 64 << 10
  public static let probeBytes = 1024

  public static let safetensorsHeader = 8 << 20
  public static let tensors = 16_384
  public static let rank = 8
  public static let dimension = Int(Int32.max)
  public static let elements = 1 << 40

  public static let pickleBytes = 8 << 20
  public static let pickleInstructions = 1_000_000
  public static let pickleStack = 10_000
  public static let pickleMemo = 100_000
  public static let pickleDepth = 64

  public static let tokenizerBytes = 64 << 20
  public static let tokenizerValues = 4_000_000
  public static let tokenIDs = 1 << 22
  public static let tokenBytes = 1024
  public static let addedTokensBytes = 4 << 20
  public static let wordCharacters = 1000
  public static let tokenizerParts = 8
  public static let replacementBytes = 64
  public static let textGrowth = 16

  /// What a number counts.
  public enum Unit: String, Sendable {
    case bytes, count
  }

  /// All of them with what they bound, for people.
  public static let all: [(what: String, value: Int, unit: Unit)] = [
    ("archive: the file", archiveBytes, .bytes),
    ("archive: what comes out of it", unpackedBytes, .bytes),
    ("archive: bytes out for each byte in", ratio, .count),
    ("archive: what may come out before that counts", ratioFloor, .bytes),
    ("archive: what is written before all of it was checked", uncheckedBytes, .bytes),
    ("archive: entries", entries, .count),
    ("archive: a name", nameBytes, .bytes),
    ("archive: a component of a name", componentBytes, .bytes),
    ("archive: components of a name", depth, .count),
    ("archive: window of zstd", zstdWindow, .bytes),
    ("JSON: a document", jsonBytes, .bytes),
    ("JSON: levels", jsonDepth, .count),
    ("JSON: values", jsonValues, .count),
    ("JSON: characters of a number", jsonNumber, .count),
    ("adapter: a name", adapterNameBytes, .bytes),
    ("adapter: components of a name", adapterNameComponents, .count),
    ("adapter: labels", labels, .count),
    ("adapter: hidden size of the base", hiddenSize, .count),
    ("adapter: layers of the base", layers, .count),
    ("adapter: signatures", signatures, .count),
    ("adapter: comparators of a range of versions", comparators, .count),
    ("adapter: adapters inside a composition", members, .count),
    ("adapter: the text of a composition", compositionBytes, .bytes),
    ("adapter: the text of a probe", probeBytes, .bytes),
    ("safetensors: header", safetensorsHeader, .bytes),
    ("weights: tensors", tensors, .count),
    ("weights: dimensions of a tensor", rank, .count),
    ("weights: size of a dimension", dimension, .count),
    ("weights: elements of a tensor", elements, .count),
    ("pickle: a file", pickleBytes, .bytes),
    ("pickle: instructions", pickleInstructions, .count),
    ("pickle: stack", pickleStack, .count),
    ("pickle: remembered values", pickleMemo, .count),
    ("pickle: levels", pickleDepth, .count),
    ("tokenizer: a file", tokenizerBytes, .bytes),
    ("tokenizer: values of its JSON", tokenizerValues, .count),
    ("tokenizer: ids", tokenIDs, .count),
    ("tokenizer: a token", tokenBytes, .bytes),
    ("tokenizer: added tokens", addedTokensBytes, .bytes),
    ("tokenizer: characters of a word that is cut", wordCharacters, .count),
    ("tokenizer: parts of a sequence", tokenizerParts, .count),
    ("tokenizer: a text that is replaced, or replaces", replacementBytes, .bytes),
    ("tokenizer: bytes of a normalised text for each that was given", textGrowth, .count),
  ]
}
