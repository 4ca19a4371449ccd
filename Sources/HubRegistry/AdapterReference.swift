public import HubBundle
public import HubWords

extension Failure.Code {
  /// A text is not a reference to an adapter.
  public static let malformedReference = Self("reference/malformed", .usage)
}

/// Which adapter is meant: `name`, `name@1.2.0`, `name@^1.2`, `name@sha256:` and at least twelve digits of its digest,
/// or `name@publisher` as AdapterHub calls it, which is an alias.
public struct AdapterReference: Hashable, Sendable, CustomStringConvertible {
  /// Which of the versions of a name is meant.
  public enum Selector: Hashable, Sendable {
    /// The highest version that is installed.
    case highest
    case version(SemanticVersion)
    /// The highest version within a range.
    case range(VersionRange)
    /// The first digits of the digest of exactly one version.
    case digest(prefix: String)
    /// The highest version of what the user made the whole reference an alias of.
    case publisher(String)
  }

  /// The name before the `@`.
  public let name: AdapterName
  /// What is said after the `@`.
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
    if text.hasPrefix(digestPrefix) { return .digest(prefix: try digits(text)) }
    guard let first = text.first else { return .version(try SemanticVersion(text)) }
    if VersionRange.signs.contains(first) { return .range(try VersionRange(text)) }
    if first.isLetter, !text.contains("/"), let publisher = try? AdapterName(text) { return .publisher(publisher.text) }
    return .version(try SemanticVersion(text))
  }

  private static let digestPrefix = "sha256:"

  /// The digits of a digest without a name, `sha256:` and at least twelve of them; `nil` for any other text.
  public static func digestDigits(_ text: String) throws -> String? {
    text.hasPrefix(digestPrefix) ? try digits(text) : nil
  }

  private static func digits(_ text: String) throws -> String {
    let digits = text.dropFirst(digestPrefix.count)
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
    guard (12...64).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit) else {
      throw Failure(
        .malformedReference, "a digest in a reference has 12 to 64 lower-case hexadecimal digits",
        at: String(text.prefix(100)))
    }
    return String(digits)
  }

  public var description: String {
    switch selector {
    case .highest: name.text
    case .version(let version): "\(name)@\(version)"
    case .range(let range): "\(name)@\(range)"
    case .digest(let prefix): "\(name)@\(Self.digestPrefix)\(prefix)"
    case .publisher(let publisher): "\(name)@\(publisher)"
    }
  }

  /// Why an adapter of this name is not one that is meant, as the end of "it is not the one: ..."; `nil` if it may be.
  func mismatch(of adapter: InstalledAdapter) -> String? {
    switch selector {
    case .highest, .publisher: nil
    case .version(let version): adapter.version == version ? nil : "the version is not \(version)"
    case .range(let range): range.contains(adapter.version) ? nil : "the version is not within \(range)"
    case .digest(let prefix): adapter.digest.hex.hasPrefix(prefix) ? nil : "the digest does not begin with \(prefix)"
    }
  }
}
