public import HubWords

/// The limits of tensors and of the files that they come in.
extension InputLimits {
  /// Bytes of the header of a safetensors file.
  public static let safetensorsHeader = 8 << 20
  /// Tensors of a file.
  public static let tensors = 16_384
  /// Dimensions of a tensor.
  public static let rank = 8
  /// The size of one dimension.
  public static let dimension = Int(Int32.max)
  /// Elements of a tensor.
  public static let elements = 1 << 40
  /// Bytes of a pickle.
  public static let pickleBytes = 8 << 20
  /// Instructions of a pickle.
  public static let pickleInstructions = 1_000_000
  /// Values on a pickle's stack.
  public static let pickleStack = 10_000
  /// Values that a pickle remembers.
  public static let pickleMemo = 100_000
  /// Levels of a pickle's values.
  public static let pickleDepth = 64
  /// Values in the metadata of a GGUF file.
  public static let ggufValues = 4096
  /// Elements of an array in them.
  public static let ggufElements = 1 << 22
  /// Bytes of a text in them.
  public static let ggufText = 4 << 20
  /// Bytes of a key, or of the name of a tensor.
  public static let ggufName = 1024

  /// The limits of weights, as `hub limits` prints them.
  public static let weights: [InputLimit] = [
    InputLimit("safetensors: header", safetensorsHeader, .bytes),
    InputLimit("weights: tensors", tensors, .count),
    InputLimit("weights: dimensions of a tensor", rank, .count),
    InputLimit("weights: size of a dimension", dimension, .count),
    InputLimit("weights: elements of a tensor", elements, .count),
    InputLimit("pickle: a file", pickleBytes, .bytes),
    InputLimit("pickle: instructions", pickleInstructions, .count),
    InputLimit("pickle: stack", pickleStack, .count),
    InputLimit("pickle: remembered values", pickleMemo, .count),
    InputLimit("pickle: levels", pickleDepth, .count),
    InputLimit("GGUF: values", ggufValues, .count),
    InputLimit("GGUF: elements of an array", ggufElements, .count),
    InputLimit("GGUF: a text", ggufText, .bytes),
    InputLimit("GGUF: a name", ggufName, .bytes),
  ]
}
