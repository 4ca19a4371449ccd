extension Failure.Code {
  /// A version is not `major.minor.patch` as semver.org defines it.
  public static let malformedVersion = Self("version/malformed", .badData)
}

/// A version by the rules of Semantic Versioning 2.0: ordered, with build metadata that does not count.
public struct SemanticVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Rises with changes that break what relied on it.
  public let major: Int
  /// Rises with what is added.
  public let minor: Int
  /// Rises with fixes.
  public let patch: Int
  /// The identifiers after `-`, such as `["rc", "1"]`; empty for a release.
  public let prerelease: [String]
  /// The identifiers after `+`, which say how something was built and do not order it.
  public let build: [String]

  public init(_ major: Int, _ minor: Int, _ patch: Int) {
    (self.major, self.minor, self.patch) = (max(0, major), max(0, minor), max(0, patch))
    prerelease = []
    build = []
  }

  /// - Throws: ``Failure`` with ``Failure/Code/malformedVersion``.
  public init(_ text: String) throws {
    func malformed() -> Failure {
      Failure(
        .malformedVersion, "expected a version such as 1.0.0 or 1.0.0-rc.1, found \(text.prefix(100).debugDescription)")
    }
    let plus = text.utf8.firstIndex(of: UInt8(ascii: "+")) ?? text.endIndex
    let minus = text[..<plus].utf8.firstIndex(of: UInt8(ascii: "-")) ?? plus
    let numbers = text[..<minus].split(separator: ".", omittingEmptySubsequences: false).map { Self.number($0) }
    guard text.utf8.count <= 256, numbers.count == 3, let major = numbers[0], let minor = numbers[1],
      let patch = numbers[2],
      let prerelease = Self.identifiers(text[minus..<plus]), let build = Self.identifiers(text[plus...]),
      prerelease.allSatisfy({ !Self.isNumeric($0) || Self.number($0[...]) != nil })
    else { throw malformed() }
    (self.major, self.minor, self.patch) = (major, minor, patch)
    (self.prerelease, self.build) = (prerelease, build)
  }

  public var description: String {
    "\(major).\(minor).\(patch)"
      + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: "."))
      + (build.isEmpty ? "" : "+" + build.joined(separator: "."))
  }

  public static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
    let (leftCore, rightCore) = ((left.major, left.minor, left.patch), (right.major, right.minor, right.patch))
    if leftCore != rightCore { return leftCore < rightCore }
    if left.prerelease.isEmpty || right.prerelease.isEmpty {
      return !left.prerelease.isEmpty && right.prerelease.isEmpty
    }
    for (one, other) in zip(left.prerelease, right.prerelease) where one != other { return precedes(one, other) }
    return left.prerelease.count < right.prerelease.count
  }

  /// Numbers by value and before words; words by their bytes.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    switch (number(left[...]), number(right[...])) {
    case (let left?, let right?): left < right
    case (nil, nil): left.utf8.lexicographicallyPrecedes(right.utf8)
    case (let number, _): number != nil
    }
  }

  private static func isNumeric(_ text: String) -> Bool { text.utf8.allSatisfy { (0x30...0x39).contains($0) } }

  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, isNumeric(String(text)), text == "0" || text.utf8.first != UInt8(ascii: "0") else {
      return nil
    }
    return Int(text)
  }

  /// The identifiers after the first character; none for an empty text, `nil` for a malformed one.
  private static func identifiers(_ text: Substring) -> [String]? {
    guard !text.isEmpty else { return [] }
    let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let isIdentifier = { (part: String) in
      !part.isEmpty
        && part.utf8.allSatisfy {
          $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20)
        }
    }
    return parts.allSatisfy(isIdentifier) ? parts : nil
  }
}
