import HubWords
import Testing

@testable import HubForeign

@Suite struct ModulePatternTests {
  /// What Python's `re.fullmatch` says.
  @Test(arguments: [
    ("query", "query", true), ("query", "querys", false), ("a.c", "abc", true), (#"a\.c"#, "abc", false),
    (#"(.*\.)?(query)"#, "encoder.layer.0.query", true), (#"(.*\.)?(query)"#, "xquery", false),
    (#"(.*\.)?(^bert.query)"#, "bert.query", true), (#"(.*\.)?(^query)"#, "bert.query", false),
    (#".*layer\.[0-3]\..*(q|v)_lin"#, "transformer.layer.2.attention.q_lin", true),
    (#".*layer\.[0-3]\..*(q|v)_lin"#, "transformer.layer.4.attention.q_lin", false),
    (#"layer\.\d{1,2}"#, "layer.12", true), (#"layer\.\d{1,2}"#, "layer.123", false), (#"a{,2}b"#, "aab", true),
    (#"(?:a|b)+?c"#, "ababc", true), (#"(?P<n>a)?b"#, "b", true), (#"[^.]+"#, "a.b", false), (#"[]a]+"#, "]a", true),
    ("", "", true), ("a|", "", true), (#"\w+"#, "a_1", true), ("x$", "x", true),
    ("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
  ])
  func matchesAsInPython(pattern: String, name: String, expected: Bool) throws {
    #expect(try ModulePattern(pattern).matches(name) == expected)
  }

  @Test(arguments: ["(", ")", "*", "[a", "a{3,1}", "(?=a)", #"\1"#, #"\b"#, "a{9999}", "((((a{1000}){1000}){1000}))"])
  func refusesOthers(pattern: String) {
    #expect(throws: Failure.self) { try ModulePattern(pattern) }
  }
}
