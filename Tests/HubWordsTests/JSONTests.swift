import HubWords
import Testing

@Suite struct JSONTests {
  @Test(arguments: [
    (#"{"a":1,"b":[true,null,-2.5e3]}"#, #"{"a":1,"b":[true,null,-2500.0]}"#),
    (#""\u00e9\ud83d\ude00\n""#, "\"é😀\\n\""),
    (" [ ] ", "[]"),
    ("1.0", "1.0"),
    ("-0", "-0.0"),
  ])
  func readsAndWritesTheSame(text: String, expected: String) throws {
    #expect(try JSON(parsing: text).text() == expected)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,\"a\":2}", "01", "1.", "nul", "NaN", "1e999", "\"\\ud800\"", "\"\\ud800\\u0041\"",
    "[1] 2",
    "\"a\nb\"", "{\"a\" 1}", "99999999999999999999", "'a'", "\"\\x\"", "[1 2]", "{a:1}", "-", "\"",
  ])
  func refusesWhatIsNotStrictJSON(text: String) {
    #expect(throws: Failure.self) { try JSON(parsing: text) }
  }

  @Test func refusesInvalidUTF8() {
    #expect(throws: Failure.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
  }

  @Test func roundsLargeIntegersOnRequest() throws {
    let text = "[1000000000000000019884624838656,9223372036854775807]"
    #expect(throws: Failure.self) { try JSON(parsing: text) }
    #expect(try JSON(parsing: text, limits: JSON.Limits(roundsIntegers: true)) == [1e30, .integer(.max)])
  }

  @Test func boundsDepthSizeAndCount() {
    let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
    for (text, limits) in [
      (deep, JSON.Limits()), ("[1,2,3]", JSON.Limits(values: 3)), ("\"long\"", JSON.Limits(bytes: 5)),
    ] {
      #expect { try JSON(parsing: text, limits: limits) } throws: { ($0 as? Failure)?.code == .excessiveJSON }
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let text = #"{"k":[1.5e-3,"v\u00e9",{"x":false}]}"#
    for length in 0..<text.utf8.count {
      #expect(throws: Failure.self) { try JSON(parsing: text.utf8.prefix(length)) }
    }
  }

  @Test func sortsKeysByBytes() {
    let object: JSON = ["b": 1, "B": 2, "é": 3, "a": 4]
    #expect(object.text() == #"{"B":2,"a":4,"b":1,"é":3}"#)
  }

  @Test func keysDifferByBytes() throws {
    let object = try JSON(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(object["\u{E9}"] == 1)
    #expect(object["e\u{301}"] == 2)
  }

  @Test func namesThePlaceOfAWrongValue() throws {
    let object = try JSONObject(try JSON(parsing: #"{"a":{"b":"x"}}"#)).object("a")
    #expect { try object.integer("b") } throws: { ($0 as? Failure)?.subject == "a.b" }
    #expect { try object.string("c") } throws: { ($0 as? Failure)?.subject == "a.c" }
  }
}

@Suite struct DigestTests {
  @Test func matchesTheStandardsVectors() {
    // FIPS 180-2, appendix B.
    #expect(Digest(of: "abc".utf8).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Digest(of: []).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test(arguments: [
    "", "sha256:", "sha256:" + String(repeating: "A", count: 64), String(repeating: "g", count: 64),
    "sha256:../" + String(repeating: "a", count: 61),
  ])
  func refusesAnythingElse(text: String) {
    #expect(throws: Failure.self) { try Digest(text) }
  }
}
