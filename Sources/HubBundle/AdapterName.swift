public import HubWords

extension Failure.Code {
  /// The name of an adapter is not made of letters, digits and a few signs.
  public static let malformedName = Self("name/malformed", .badData)
}

/// The name of an adapter, such as `lang/sw` or `ner`: 1 to 128 bytes, up to three components joined by `/`, each a
/// letter or digit and then letters, digits, `.`, `_`, `+` and `-`; plain enough for a command line and a URL.
public struct AdapterName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The whole name, its components separated by `/`.
  public let text: String

  /// - Throws: ``Failure`` with ``Failure/Code/malformedName``.
  public init(_ text: String) throws {
    let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard text.utf8.count <= InputLimits.adapterNameBytes, components.count <= InputLimits.adapterNameComponents,
      components.allSatisfy({ Self.isComponent(Array($0)) })
    else {
      throw Failure(
        .malformedName, "\(text.prefix(140).debugDescription) cannot be the name of an adapter",
        hint: "use letters, digits and . _ + -, up to three parts joined by /, as in lang/sw")
    }
    self.text = text
  }

  public var description: String { text }

  public static func < (left: AdapterName, right: AdapterName) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  private static func isComponent(_ bytes: [UInt8]) -> Bool {
    let isAlphanumeric = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) }
    let signs = Array("._+-".utf8)
    let dot = UInt8(ascii: ".")
    guard let first = bytes.first, isAlphanumeric(first), bytes.last != dot else { return false }
    let hasTwoDots = zip(bytes, bytes.dropFirst()).contains { $0 == dot && $1 == dot }
    return !hasTwoDots && bytes.allSatisfy { isAlphanumeric($0) || signs.contains($0) }
  }
}
