public import HubWords

/// The limits of what a bundle says of itself.
extension InputLimits {
  public static let adapterNameBytes = 128
  public static let adapterNameComponents = 3
  public static let labels = 10_000
  public static let hiddenSize = 65_536
  public static let layers = 256
  public static let signatures = 16
  public static let members = 64
  public static let probeBytes = 1024

  public static let bundles: [InputLimit] = [
    InputLimit("adapter: a name", adapterNameBytes, .bytes),
    InputLimit("adapter: components of a name", adapterNameComponents, .count),
    InputLimit("adapter: labels", labels, .count),
    InputLimit("adapter: hidden size of the base", hiddenSize, .count),
    InputLimit("adapter: layers of the base", layers, .count),
    InputLimit("adapter: signatures", signatures, .count),
    InputLimit("adapter: adapters inside a composition", members, .count),
    InputLimit("adapter: the text of a probe", probeBytes, .bytes),
  ]
}
