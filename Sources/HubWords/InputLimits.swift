/// A limit on what comes in, for people.
public struct InputLimit: Sendable {
  /// What a number counts.
  public enum Unit: String, Sendable {
    case bytes, count
  }

  /// The format and what of it is bounded.
  public let what: String
  /// The most that is taken.
  public let value: Int
  /// What ``value`` counts.
  public let unit: Unit

  public init(_ what: String, _ value: Int, _ unit: Unit) { (self.what, self.value, self.unit) = (what, value, unit) }
}

/// The limits on what comes in. Each is far above what honest files need and low enough that no file costs more than
/// seconds and megabytes to refuse. Code may raise one for its own call; no input can.
///
/// Each module adds those of what it reads, and a list of them.
public enum InputLimits {
  /// Bytes of a JSON document.
  public static let jsonBytes = 1 << 20
  /// Levels of a JSON document.
  public static let jsonDepth = 64
  /// Values of any kind in a JSON document.
  public static let jsonValues = 100_000
  /// Characters of a number in JSON.
  public static let jsonNumber = 64
  /// Comparators of a range of versions.
  public static let comparators = 16
  /// Bytes of the text of a composition.
  public static let compositionBytes = 64 << 10
  /// The width of a base model's hidden states.
  public static let hiddenSize = 65_536
  /// Layers of a base model.
  public static let layers = 256

  /// The limits of these, as `hub limits` prints them.
  public static let words: [InputLimit] = [
    InputLimit("JSON: a document", jsonBytes, .bytes),
    InputLimit("JSON: levels", jsonDepth, .count),
    InputLimit("JSON: values", jsonValues, .count),
    InputLimit("JSON: characters of a number", jsonNumber, .count),
    InputLimit("adapter: comparators of a range of versions", comparators, .count),
    InputLimit("adapter: the text of a composition", compositionBytes, .bytes),
    InputLimit("adapter: hidden size of the base", hiddenSize, .count),
    InputLimit("adapter: layers of the base", layers, .count),
  ]
}
