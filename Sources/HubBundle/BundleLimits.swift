public import HubWords

/// The limits of what a bundle says of itself.
extension InputLimits {
  /// Bytes of an adapter's name, in UTF-8.
  public static let adapterNameBytes = 128
  /// Components of an adapter's name.
  public static let adapterNameComponents = 3
  /// Labels of a head.
  public static let labels = 10_000
  /// Signatures of a bundle.
  public static let signatures = 16
  /// Adapters inside a composition.
  public static let members = 64
  /// Bytes of a probe's text, in UTF-8.
  public static let probeBytes = 1024

  /// The limits of bundles, as `hub limits` prints them.
  public static let bundles: [InputLimit] = [
    InputLimit("adapter: a name", adapterNameBytes, .bytes),
    InputLimit("adapter: components of a name", adapterNameComponents, .count),
    InputLimit("adapter: labels", labels, .count),
    InputLimit("adapter: signatures", signatures, .count),
    InputLimit("adapter: adapters inside a composition", members, .count),
    InputLimit("adapter: the text of a probe", probeBytes, .bytes),
  ]
}
