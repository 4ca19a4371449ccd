import HubWords
import HubTesting
import Testing

@Suite struct VersionRangeTests {
  /// Cases of the documentation of cargo ("Specifying Dependencies") and of the rule for pre-releases of node-semver.
  @Test(arguments: [
    ("^1.2.3", "1.2.3 1.2.10 1.9.0", "1.2.2 2.0.0 2.0.0-rc.1 1.3.0-rc.1"),
    ("^1.2", "1.2.0 1.99.0", "1.1.9 2.0.0"),
    ("^1", "1.0.0 1.99.9", "0.9.9 2.0.0"),
    ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 1.0.0"),
    ("^0.2", "0.2.0 0.2.9", "0.3.0"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2 0.1.0"),
    ("^0.0", "0.0.0 0.0.9", "0.1.0"),
    ("^0", "0.0.0 0.9.9", "1.0.0"),
    ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
    ("~1.2", "1.2.0 1.2.9", "1.3.0"),
    ("~1", "1.0.0 1.9.0", "2.0.0"),
    ("*", "0.0.0 9.9.9", "1.0.0-rc.1"),
    ("=1.2", "1.2.0 1.2.7", "1.3.0 1.1.9"),
    ("=1.2.3", "1.2.3 1.2.3+build", "1.2.4"),
    (">=1,<2", "1.0.0 1.9.9", "0.9.0 2.0.0 2.0.0-rc.1"),
    (">= 1.2, < 1.5", "1.2.0 1.4.9", "1.5.0"),
    (">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9"),
    (">1.2.3", "1.2.4", "1.2.3"),
    ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
    ("<=1.2.3", "1.2.3", "1.2.4"),
    (">=1.0.0-rc.1", "1.0.0-rc.1 1.0.0-rc.2 1.0.0 2.0.0", "1.0.0-beta 2.0.0-rc.1"),
    ("=1.0.0-rc.1", "1.0.0-rc.1", "1.0.0 1.0.0-rc.2"),
  ])
  func rangesHoldWhatTheySay(_ text: String, _ inside: String, _ outside: String) throws {
    let range = try VersionRange(text)
    for version in inside.split(separator: " ") {
      #expect(range.contains(try SemanticVersion(String(version))), "\(version)")
    }
    for version in outside.split(separator: " ") {
      #expect(!range.contains(try SemanticVersion(String(version))), "\(version)")
    }
  }

  @Test(arguments: [
    "", "1", "1.2.3", "^", "^x", "^1.x", "^1.2.3.4", "^01", "=>1", "^1,", ",^1", "^-1", "^1-rc", "^1.2+b",
    "^99999999999999999999",
    "^9223372036854775807", "≥1", "^１", ">=1 || <0", String(repeating: "*,", count: 200) + "*",
  ])
  func otherTextsAreNone(_ text: String) { #expect(code { _ = try VersionRange(text) } == "version/malformed") }
}
