import CArchive
import CZlib
public import HubWords

/// A library of the system that reads what comes in, and the oldest version of it without a fault that a hostile file
/// could use in what Dovetail uses of it.
public struct LinkedLibrary: Hashable, Sendable {
  /// What the library is called.
  public let name: String
  /// The version that is loaded.
  public let version: SemanticVersion
  /// The oldest version without a known weakness.
  public let oldest: SemanticVersion

  /// - Parameter version: as the library says it, such as `1.3.0.zlib-ng`: what is after three numbers does not count.
  public init(_ name: String, version: String, oldest: SemanticVersion) {
    let numbers = version.split(separator: ".").map { Int($0.prefix { $0.isASCII && $0.isNumber }) ?? 0 } + [0, 0, 0]
    (self.name, self.version, self.oldest) = (name, SemanticVersion(numbers[0], numbers[1], numbers[2]), oldest)
  }

  /// Whether it is older than the oldest that should be used.
  public var isTooOld: Bool { version < oldest }

  /// What reads archives. libarchive 3.6.2 mends CVE-2022-36227, zlib 1.2.13 CVE-2022-37434, zstd 1.3.8 CVE-2019-11922.
  public static let ofArchives = [
    LinkedLibrary("libarchive", version: version("libarchive "), oldest: SemanticVersion(3, 6, 2)),
    LinkedLibrary("zlib", version: String(cString: zlibVersion()), oldest: SemanticVersion(1, 2, 13)),
    LinkedLibrary("zstd", version: version("libzstd/"), oldest: SemanticVersion(1, 3, 8)),
  ]

  /// What libarchive says of itself and of what it was linked with: `libarchive 3.6.2 zlib/1.2.13 ... libzstd/1.5.4`.
  private static func version(_ label: String) -> String {
    let details = archive_version_details().map { String(cString: $0) } ?? ""
    return details.firstRange(of: label).map { String(details[$0.upperBound...].prefix { $0 != " " }) } ?? ""
  }
}
