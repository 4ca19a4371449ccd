import HubWords
import Testing

/// The cases of JSONTestSuite (Seriot, "Parsing JSON is a minefield", 2016), whose names are in front of each line
/// there: `y_` must be read, `n_` must be refused, and of `i_`, where readers differ, none is read here.
@Suite struct JSONTestSuiteTests {
  @Test(arguments: [
    "[[]   ]", "[\"\"]", "[]", "[\"a\"]", "[false]", "[null, 1, \"1\", {}]", "[null]", "[1\n]", " [1]",
    "[1,null,null,null,2]", "[2] ",
    "[123e65]", "[0e+1]", "[0e1]", "[ 4]", "[20e1]", "[-0]", "[-123]", "[-1]", "[-0]", "[1E22]", "[1E-2]", "[1E+2]",
    "[123e45]", "[123.456e78]",
    "[1e-2]", "[1e+2]", "[123]", "[123.456789]",
    #"{"asd":"sdf", "dfg":"fgh"}"#, #"{"asd":"sdf"}"#, "{}", #"{"":0}"#, #"{"foo\u0000bar": 42}"#,
    #"{ "min": -1.0e+28, "max": 1.0e+28 }"#,
    #"{"x":[{"id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}], "id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
    #"{"a":[]}"#,
    #"{"title":"\u041f\u043e\u043b\u0442\u043e\u0440\u0430 \u0417\u0435\u043c\u043b\u0435\u043a\u043e\u043f\u0430" }"#,
    "{\n\"a\": \"b\"\n}",
    #"["\u0060\u012a\u12AB"]"#, #"["\uD801\udc37"]"#, #"["\ud83d\ude39\ud83d\udc8d"]"#, #"["\"\\\/\b\f\n\r\t"]"#,
    #"["\\u0000"]"#, #"["\""]"#,
    "[\"a/*b*/c/*d//e\"]", #"["\\a"]"#, #"["\\n"]"#, #"["\u0012"]"#, #"["\uFFFF"]"#, "[\"asd\"]", "[ \"asd\"]",
    #"["\uDBFF\uDFFF"]"#, #"["new\u00A0line"]"#,
    "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]", #"["\u0000"]"#, #"["\u002c"]"#, "[\"π\"]", "[\"\u{1BFFF}\"]", "[\"asd \"]",
    "\" \"", #"["\uD834\uDd1e"]"#,
    #"["\u0821"]"#, #"["\u0123"]"#, "[\"\u{2028}\"]", "[\"\u{2029}\"]", #"["\u0061\u30af\u30EA\u30b9"]"#,
    "[\"x\u{A0}line\"]",
    #"["\u005C"]"#, "[\"⍂㈴⍂\"]", "[\"\u{7F}\"]", #"["\uA66D"]"#, #"["\u0022"]"#, #"["\u200B"]"#, #"["\u2064"]"#,
    #"["\uFDD0"]"#,
    #"["\uFFFE"]"#, #"["\uD83F\uDFFE"]"#, #"["\uDBFF\uDFFE"]"#, "[\"€𝄞\"]", "[\"a\u{7F}a\"]",
    "false", "42", "-0.1", "null", "\"asd\"", "true", "\"\"", "[\"a\"]\n", "[true]", " [] ", "\t\n\r [ ]",
  ])
  func isRead(_ text: String) throws { _ = try JSON(parsing: text) }

  @Test(arguments: [
    "[1 true]", "[a\u{E5}]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]", "[\"x\"",
    "[x", "[3[4]]", "[1:2]", "[,]", "[-]", "[   , \"\"]",
    "[\"a\",\n4\n,1,", "[1,]", "[1,,]", "[\"\u{B}a\"\\f]", "[*]", "[\"\"", "[1,", "[1,\n1\n,1", "[{}", "[fals]",
    "[nul]", "[tru]", "[++1234]", "[+1]", "[+Inf]", "[-01]", "[-1.0.]",
    "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[0e+]", "[0e]",
    "[1.0e+]", "[1.0e-]",
    "[1.0e]", "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[\u{FF11}]", "[1+2]",
    "[0x1]", "[0x42]", "[Infinity]", "[0e+-1]", "[-123.123foo]",
    "[-Infinity]", "[-foo]", "[- 1]", "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1.]", "[.123]", "[1.2a-3]",
    "[1.8011670033376514H-308]", "[012]",
    "[\"x\", truth]", "{[: \"x\"}\n", "{\"x\", null}", "{\"x\"::\"b\"}", "{🇨🇭}", "{\"a\":\"a\" 123}", "{key: 'value'}",
    "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"", "{1:1}",
    "{9999E9999:1}", "{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}", "{\"a\":\"b\"}/**/",
    "{\"a\":\"b\"}/**//", "{\"a\":\"b\"}//", "{\"a\":\"b\"}/", "{\"a\":\"b\",,\"c\":\"d\"}",
    "{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }", "{\"a\":\"b\"}#", " ",
    #"["\uD800\"]"#, #"["\uD800\u"]"#, #"["\uD800\u1"]"#, #"["\uD800\u1x"]"#, "[é]", #"["\x00"]"#, #"["\\\"]"#,
    "[\"\\\t\"]", "[\"\\🌀\"]", #"["\"]"#, #"["\u00A"]"#, #"["\uD834\uDd"]"#,
    #"["\uD800\uD800\x"]"#, #"["\a"]"#, #"["\uqqqq"]"#, #"[\u0020"asd"]"#, "[\\n]", "\"", "['single quote']", "abc",
    #"["\"#, "[\"a\u{0}a\"]", "[\"new\nline\"]", "[\"\t\"]", #""\UA66D""#, "\"\"x",
    "<.>", "[<null>]", "[1]x", "[1]]", "[\"asd]", "aå", "[True]", "1]", "{\"x\": true,", "[][]", "]", "\u{FEFF}{}", "å",
    "[", "", "2@", "{}}", "{\"\":", "{\"a\":/*comment*/\"b\"}",
    "{\"a\": true} \"x\"", "['", "[,", "[{", "[\"a", "[\"a\"", "{", "{]", "{,", "{[", "{\"a", "{'a'",
    "[\"\\{[\"\\{[\"\\{[\"\\{", "é", "*", "{\"a\":\"b\"}#{}", "[\\u000A\"\"]", "[1", "[ false, nul", "[ true, fals",
    "[ false, tru", "{\"asd\":\"asd\"", "[\u{2060}]", "[\u{C}]", "[\u{A0}1]",
    // Of `i_`, and the two of `y_` with one key twice.
    "[0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999969999999006]",
    "[1.5e+9999]", "[-1e+9999]",
    "[123123123123123123123123123123]", "[-123123123123123123123123123123]", "[100000000000000000000]", #"["\uDADA"]"#,
    #"["\uD888\u1234"]"#, #"["\uD800\n"]"#, #"["\uDd1ea"]"#,
    #"["\uD800\uD800\n"]"#, #"["\ud800"]"#, #"["\ud800abc"]"#, #"["\uDd1e\uD834"]"#, #"["\uDFAA"]"#, #"{"\uDFAA":0}"#,
    "{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":\"b\",\"a\":\"b\"}", #"{"a":1,"\u0061":2}"#,
  ])
  func isRefused(_ text: String) { #expect(throws: Failure.self) { try JSON(parsing: text) } }

  /// What cannot be written as a string.
  @Test(
    arguments: [
      [0xFF], [0x22, 0xE9, 0x22], [0x5B, 0xFF, 0x5D], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
      [0x22, 0xF4, 0xBF, 0xBF, 0xBF, 0x22], [0x22, 0xE0, 0x80, 0x80, 0x22],
      [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0xFF, 0xFE, 0x5B, 0, 0x5D, 0], [0, 0x5B, 0, 0x5D], [0x5B, 0x31, 0, 0x5D],
      [0x5B, 0x5D, 0], [0x22, 0x81, 0x22], [0x22, 0xFC, 0x83, 0xBF, 0xBF, 0xBF, 0xBF, 0x22],
      [0x22, 0xE6, 0x97, 0xA5, 0xD1, 0x88, 0xFA, 0x22], [0x5B, 0x31, 0x65, 0x31, 0xE5, 0x5D], [0x5B, 0x30, 0xE5, 0x5D],
      [0x7B, 0x22, 0xB9, 0x22, 0x3A, 0x22, 0x30, 0x22, 0x2C, 0x7D],
    ] as [[UInt8]])
  func bytesAreRefused(_ bytes: [UInt8]) { #expect(throws: Failure.self) { try JSON(parsing: bytes) } }

  /// `n_structure_100000_opening_arrays` and its kin, a million deep.
  @Test(arguments: ["[", "{\"\":", "[{\"\":"]) func depthCostsNoStack(_ text: String) {
    let deep = String(repeating: text, count: 1_000_000)
    for limits in [JSON.Limits(), JSON.Limits(bytes: .max, values: .max)] {
      #expect { try JSON(parsing: deep, limits: limits) } throws: { ($0 as? Failure)?.code == .excessiveJSON }
    }
  }
}
