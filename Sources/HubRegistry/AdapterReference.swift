public import HubManifest

extension Failure.Code {
  /// A text is not a reference to an adapter.
  public static let malformedReference = Self("reference/malformed", .usage)
}

/// Which adapter is meant: `name`, `name@1.2.0`, or `name@sha256:` and at least twelve digits of its digest.
public struct AdapterReference: Hashable, Sendable, CustomStringConvertible {
  public enum Selector: Hashable, Sendable {
    /// The highest version that is installed.
    case highest
    case version(SemanticVersion)
    /// The first digits of the digest of exactly one version.
    case digest(prefix: String)
  }

  public let name: AdapterName
  public let selector: Selector

  public init(_ name: AdapterName, _ selector: Selector = .highest) {
    self.name = name
    self.selector = selector
  }

  /// - Throws: ``Failure/Code/malformedReference``.
  public init(_ text: String) throws {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    do {
      self.init(try AdapterName(parts[0]), try parts.count == 1 ? .highest : Self.selector(parts[1]))
    } catch let failure as Failure {
      throw Failure(.malformedReference, failure.message, at: failure.subject, hint: failure.hint)
    }
  }

  private static func selector(_ text: String) throws -> Selector {
    guard text.hasPrefix("sha256:") else { return .version(try SemanticVersion(text)) }
    let digits = text.dropFirst(7)
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
    guard (12...64).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit) else {
      throw Failure(
        .malformedReference, "a digest in a reference has 12 to 64 lower-case hexadecimal digits", at: String(text.prefix(100)))
    }
    return .digest(prefix: String(digits))
  }

  public var description: String {
    switch selector {
    case .highest: name.text
    case .version(let version): "\(name)@\(version)"
    case .digest(let prefix): "\(name)@sha256:\(prefix)"
    }
  }

  func matches(_ adapter: InstalledAdapter) -> Bool {
    guard adapter.name == name else { return false }
    switch selector {
    case .highest: return true
    case .version(let version): return adapter.version == version
    case .digest(let prefix): return adapter.digest.hex.hasPrefix(prefix)
    }
  }
}
