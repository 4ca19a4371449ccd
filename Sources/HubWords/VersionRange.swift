/// A set of versions: comparators joined by commas, all of which must hold, as in `^1.2`, `~1.2.3` or `>=1, <2`.
///
/// They mean what they mean to cargo: `^` allows what does not change the first number that is not zero, `~` what does
/// not change the minor one, and a version cut short stands for all that begin so. Pre-releases match only where a
/// comparator names one of the same major, minor and patch number.
public struct VersionRange: Hashable, Sendable, CustomStringConvertible {
  private enum Bound: Hashable, Sendable {
    case atLeast(SemanticVersion), above(SemanticVersion), atMost(SemanticVersion), below(SemanticVersion)

    var version: SemanticVersion {
      switch self {
      case .atLeast(let version), .above(let version), .atMost(let version), .below(let version): version
      }
    }

    func holds(_ candidate: SemanticVersion) -> Bool {
      switch self {
      case .atLeast(let version): candidate >= version
      case .above(let version): candidate > version
      case .atMost(let version): candidate <= version
      case .below(let version): candidate < version
      }
    }
  }

  public let description: String
  private let bounds: [Bound]

  /// What a range begins with.
  public static let signs = Set("^~<>=*")

  /// - Throws: ``Failure/Code/malformedVersion``.
  public init(_ text: String) throws {
    let comparators = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
    guard text.utf8.count <= 256, comparators.count <= InputLimits.comparators else {
      throw Failure(
        .malformedVersion, "a range can have at most \(InputLimits.comparators) comparators",
        at: String(text.prefix(100)))
    }
    bounds = try locating(String(text.prefix(256))) { try comparators.flatMap(Self.bounds) }
    description = comparators.joined(separator: ",")
  }

  /// Whether a version is in the range. A pre-release is only if the range names one of the same version.
  public func contains(_ version: SemanticVersion) -> Bool {
    let isNamed =
      version.prerelease.isEmpty
      || bounds.contains { !$0.version.prerelease.isEmpty && $0.version.core == version.core }
    return isNamed && bounds.allSatisfy { $0.holds(version) }
  }

  // MARK: Comparators

  private static func bounds(_ comparator: String) throws -> [Bound] {
    if comparator == "*" { return [] }
    let sign = comparator.prefix { "^~<>=".contains($0) }
    let (first, parts) = try version(comparator.dropFirst(sign.count))
    switch sign {
    case "^":
      return [
        .atLeast(first),
        .below(try next(first, keeping: first.major > 0 || parts == 1 ? 1 : first.minor > 0 || parts == 2 ? 2 : 3)),
      ]
    case "~": return [.atLeast(first), .below(try next(first, keeping: min(parts, 2)))]
    case "=" where parts < 3: return [.atLeast(first), .below(try next(first, keeping: parts))]
    case "=": return [.atLeast(first), .atMost(first)]
    case ">=": return [.atLeast(first)]
    case "<": return [.below(first)]
    case ">": return [parts == 3 ? .above(first) : .atLeast(try next(first, keeping: parts))]
    case "<=": return [parts == 3 ? .atMost(first) : .below(try next(first, keeping: parts))]
    default: throw malformed()
    }
  }

  /// The lowest version that a version cut short stands for, and how many of its numbers are there.
  private static func version(_ text: Substring) throws -> (SemanticVersion, parts: Int) {
    let dots = text.prefix { $0 != "-" && $0 != "+" }.count { $0 == "." }
    guard dots < 2 else { return (try SemanticVersion(String(text)), 3) }
    guard text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) else { throw malformed() }
    return (try SemanticVersion(text + String(repeating: ".0", count: 2 - dots)), dots + 1)
  }

  /// The lowest version that differs in the first `parts` numbers.
  private static func next(_ version: SemanticVersion, keeping parts: Int) throws -> SemanticVersion {
    var numbers = [version.major, version.minor, version.patch]
    let (raised, overflow) = numbers[parts - 1].addingReportingOverflow(1)
    guard !overflow else { throw malformed() }
    numbers[parts - 1] = raised
    for index in parts..<3 { numbers[index] = 0 }
    return SemanticVersion(numbers[0], numbers[1], numbers[2])
  }

  private static func malformed() -> Failure {
    Failure(.malformedVersion, "expected a range of versions such as ^1.2, ~1.2.3 or >=1,<2")
  }
}

extension SemanticVersion {
  fileprivate var core: [Int] { [major, minor, patch] }
}
