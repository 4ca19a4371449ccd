import HubBundle
import HubWords
import HubTesting
import Testing

@Suite struct ManifestTests {
  static let text = """
    {"format": "dovetail-bundle/1.3", "name": "lang/sw", "version": "1.2.0", "kind": "language", "method": "seq_bn",
     "languages": ["sw"], "labels": ["a"], "base": {"architecture": "bert", "hiddenSize": 8, "layers": 2, "quantised": true},
     "files": [{"path": "config.json", "role": "config", "size": 2, "mode": 7,
       "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}],
     "dependencies": [{"name": "lang/en", "range": "^1", "role": "language", "why": "x"}], "future": {"a": [1, 2.5]}}
    """

  @Test func `What it knows and what it does not know survives a round trip`() throws {
    let manifest = try Manifest(parsing: Self.text.utf8)
    #expect(manifest.name.text == "lang/sw")
    #expect(manifest.dependencies.first?.range == "^1")
    var expected = try #require(try JSON(parsing: Self.text).object)
    expected["format"] = "dovetail-bundle/1.0"
    #expect(manifest.json.text() == JSON.object(expected).text())
    #expect(try Manifest(parsing: manifest.bytes).bytes == manifest.bytes)
  }

  @Test(
    "A wrong field is named",
    arguments: [
      ("dovetail-bundle/1.3", "dovetail-bundle/2.0", "manifest/newer-format"),
      ("dovetail-bundle/1.3", "dovetail-bundle/1", "manifest/unknown-format"),
      ("dovetail-bundle/1.3", "dovetail-bundle/0.9", "manifest/unknown-format"),
      ("dovetail-bundle/1.3", "dovetail-bundle/01.0", "manifest/unknown-format"),
      ("lang/sw", "../sw", "name/malformed"), ("1.2.0", "1.2", "version/malformed"),
      ("[\"sw\"]", "[\"s\"]", "manifest/invalid"),
      ("[\"sw\"]", "\"sw\"", "json/unexpected"), ("\"hiddenSize\": 8", "\"hiddenSize\": 0", "manifest/invalid"),
      ("\"hiddenSize\": 8", "\"hiddenSize\": \"8\"", "json/unexpected"), ("44136f", "44136F", "digest/malformed"),
      ("\"44136f", "\"sha256:44136f", "digest/malformed"),
      ("\"size\": 2", "\"size\": -2", "manifest/invalid"), ("\"seq_bn\"", "\"\"", "manifest/invalid"),
      ("\"kind\": \"language\", ", "", "json/unexpected"),
    ])
  func wrong(old: String, new: String, expected: String) {
    let text = replace(old, by: new, in: Self.text)
    #expect(code { _ = try Manifest(parsing: text.utf8) } == expected)
  }

  private func replace(_ old: String, by new: String, in text: String) -> String {
    guard let range = text.firstRange(of: old) else { return text }
    return text[..<range.lowerBound] + new + text[range.upperBound...]
  }
}

@Suite struct SemanticVersionTests {
  @Test func `Versions are ordered as semver.org says`() throws {
    let texts = [
      "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
      "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0",
    ]
    let versions = try texts.map { try SemanticVersion($0) }
    for (one, other) in zip(versions, versions.dropFirst()) { #expect(one < other && !(other < one)) }
    #expect(versions.map(\.description) == texts)
    #expect(try SemanticVersion("1.0.0+a.1").build == ["a", "1"])
    #expect(try SemanticVersion("1.0.0-x-y.0+01").description == "1.0.0-x-y.0+01")
  }

  @Test(arguments: [
    "", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0+", "1.0.0-01", "1.0.0-a..b", "v1.0.0", "1.0.0-é",
    "99999999999999999999.0.0", " 1.0.0", "-1.0.0",
  ])
  func refusesWhatIsNoVersion(text: String) {
    #expect(code { _ = try SemanticVersion(text) } == "version/malformed")
  }
}

@Suite struct AdapterNameTests {
  @Test(arguments: ["a", "lang/sw", "a/b/c", "0.x_y+z-1", String(repeating: "a", count: 128)])
  func takesPlainNames(text: String) throws { #expect(try AdapterName(text).text == text) }

  @Test(arguments: [
    "", "/a", "a/", "a//b", "a/b/c/d", ".a", "a.", "a..b", "a b", "-a", "é", "a@1", String(repeating: "a", count: 129),
    "a/../b",
  ])
  func refusesOthers(text: String) { #expect(code { _ = try AdapterName(text) } == "name/malformed") }
}
