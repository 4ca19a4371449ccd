public import HubWords

/// The limits of tensors and of the files that they come in.
extension InputLimits {
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
  ]
}
