import Foundation
import HubWords
import Testing

@testable import HubGeneration
@testable import HubTokenizers

/// Tokenizers for tests: GPT-2's alphabet of bytes, and what a LLaMA falls back on.
enum TestTokenizers {
  /// The 256 bytes in order, then pieces, then `<end>` with the id 256 + pieces.
  static func bytes(_ pieces: [String] = []) throws -> any Tokenizer {
    var vocabulary = JSON.Members()
    for (id, scalar) in ByteAlphabet.characters.enumerated() { vocabulary[String(Character(scalar))] = .integer(id) }
    for (index, piece) in pieces.enumerated() {
      let written = String(String.UnicodeScalarView(piece.utf8.map { ByteAlphabet.characters[Int($0)] }))
      vocabulary[written] = .integer(256 + index)
    }
    let json: JSON = [
      "model": ["type": "BPE", "vocab": .object(vocabulary), "merges": []], "decoder": ["type": "ByteLevel"],
      "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
      "added_tokens": [["id": .integer(256 + pieces.count), "content": "<end>", "special": true]],
    ]
    return try TokenizerFile.pipeline(JSONObject(json), TokenizerConfig())
  }
}

@Suite struct ConstraintTests {
  /// Whether a pattern matches a whole text.
  private func matches(_ pattern: Pattern, _ text: String) throws -> Bool {
    let table = try StateTable(ByteMachine(pattern))
    let state = try table.state(after: Array(text.utf8))
    return state != StateTable.dead && table.isComplete(state)
  }

  @Test(arguments: [
    "a*b", "(ab|cd)+", "[a-c]{2,3}", "[^a-c]", "a?b??c", "\\d+(\\.\\d+)?", "x{0}y", "(a|b)*?c", "\\w\\s\\S", "[\\d-]+",
    "[é-ü]+", "\\u00e9|\\x41", "[\u{10000}-\u{10FFFF}]", "^abc$", "", "(|a)b", "a{2}", "[a\\]b]", ".", "(?:ab)+c",
    "[\u{7f}-\u{900}]", "[ -~]", "a|^b$", "(a*)*", "(a|ab)(c|bcd)",
  ])
  func `patterns match what Foundation's do`(expression: String) throws {
    let pattern = try Pattern(parsing: expression)
    let theirs = try NSRegularExpression(pattern: "^(?:\(expression))$")
    let texts = [
      "", "a", "b", "c", "ab", "abc", "aab", "abab", "abcd", "bc", "ac", "d", "12", "12.5", "1.", "y", "xy", "a 1", "é",
      "éü", "A",
      "😀", "\u{10000}", "]", "a]", "bb", "aa", "x", "-1", "\u{7f}", "߿", "ࠀ", "ऀ", "ँ", "~", " ", "bcd", "abcbcd",
    ]
    for text in texts {
      let range = NSRange(text.startIndex..., in: text)
      #expect(
        try matches(pattern, text) == (theirs.firstMatch(in: text, range: range) != nil), "\(expression) on \(text)")
    }
  }

  @Test(arguments: [
    "(", ")", "[a", "a{2", "a{3,2}", "*a", "a**", "\\1", "(?=a)", "(?<x>a)", "a^b", "\\", "[b-a]", "\\u12", "a{9999}",
    "\\p{L}",
  ])
  func `what is wrong or not supported is refused`(expression: String) {
    let failure = #expect(throws: Failure.self) { try Pattern(parsing: expression) }
    #expect(failure?.code == .malformedConstraint)
  }

  @Test func `absurd patterns are refused before they cost much`() {
    for expression in [
      String(repeating: "(", count: 1000), "((a{1000}){1000}){1000}", String(repeating: "a", count: 20_000),
    ] {
      #expect(throws: Failure.self) { try ByteMachine(Pattern(parsing: expression)) }
    }
    #expect(throws: Failure.self) { try ByteMachine(Pattern(parsing: "[^\\s\\S]")) }
  }

  @Test func `the ranges of UTF-8 are those of the characters`() {
    for range: ClosedRange<UInt32> in [
      0...0x10FFFF, 0x7F...0x80, 0x7FE...0x801, 0xE9...0xE9, 0xFFFF...0x10001, 0x1234...0x45678,
    ] {
      let sequences = ByteRanges.sequences(range)
      for value in [
        0, 0x41, 0x7F, 0x80, 0xE9, 0x7FF, 0x800, 0x1233, 0x1234, 0xFFFF, 0x10000, 0x45678, 0x45679, 0x10FFFF,
      ] as [UInt32] {
        guard let scalar = Unicode.Scalar(value) else { continue }
        let bytes = Array(String(Character(scalar)).utf8)
        let count = sequences.count { $0.count == bytes.count && zip($0, bytes).allSatisfy { $0.contains($1) } }
        #expect(count == (range.contains(value) ? 1 : 0), "\(value) in \(range)")
      }
    }
  }

  /// Every value is written by a model that likes one token after the other.
  private func write(
    _ make: (VocabularyBytes, [Int32]) throws -> TextConstraint, likes: [String], _ pieces: [String]
  ) throws -> String {
    let tokenizer = try TestTokenizers.bytes(pieces), size = tokenizer.vocabularySize
    var wanted = likes.flatMap { Array($0.utf8) }.makeIterator()
    let constraint = try make(VocabularyBytes(tokenizer), [Int32(size - 1)])
    var text = WrittenText(prompt: [0])
    while text.newTokens.count < 200 {
      var scores = (0..<size).map { -Float($0) / 1000 }
      if let like = wanted.next() { scores[Int(like)] = 5 }
      // It would rather end than go on.
      scores[size - 1] = 1
      try constraint.process(&scores, after: text)
      let token = try #require(Probabilities.best(scores))
      if token == size - 1 { break }
      text.tokens.append(Int32(token))
    }
    return tokenizer.decode(Array(text.newTokens))
  }

  @Test func `one of the choices is written, whatever the model likes`() throws {
    let choices = ["positive", "negative", "po"]
    #expect(
      try write({ try TextConstraint(choices: choices, vocabulary: $0, endTokens: $1) }, likes: ["xyz"], [])
        == "negative")
    #expect(
      try write({ try TextConstraint(choices: choices, vocabulary: $0, endTokens: $1) }, likes: ["pos"], [])
        == "positive")
    #expect(
      try write({ try TextConstraint(choices: choices, vocabulary: $0, endTokens: $1) }, likes: ["po"], []) == "po")
    #expect(throws: Failure.self) {
      try TextConstraint(choices: [], vocabulary: VocabularyBytes(TestTokenizers.bytes()), endTokens: [1])
    }
    #expect(throws: Failure.self) {
      try TextConstraint(choices: ["a"], vocabulary: VocabularyBytes(TestTokenizers.bytes()), endTokens: [])
    }
  }

  @Test func `the mask is what trying every token gives`() throws {
    let pieces = ["abc", "ab", "bc", "12", "1.", "\u{e9}", "é1", "\"a\":", "null", "{\"", "  "]
    let tokenizer = try TestTokenizers.bytes(pieces), vocabulary = VocabularyBytes(tokenizer)
    for expression in ["(ab|abc)*d", "\\d+\\.\\d+", "[é-ü]1|[^a]", "\\{\"a\": ?(null|12)\\}"] {
      let table = try StateTable(ByteMachine(Pattern(parsing: expression)))
      var open = [0], seen: Set<Int> = [0]
      while let state = open.popLast() {
        let tried = try (0..<Int32(tokenizer.vocabularySize)).filter {
          let bytes = tokenizer.bytes(of: $0, isFirst: false)
          return try !bytes.isEmpty && table.state(after: bytes, from: state) != StateTable.dead
        }
        #expect(try table.tokens(from: state, of: vocabulary.inside, isFirst: false).sorted() == tried)
        for token in tried {
          let next = try table.state(after: tokenizer.bytes(of: token, isFirst: false), from: state)
          if seen.insert(next).inserted { open.append(next) }
        }
      }
    }
  }

  private func schema(_ text: String) throws -> Pattern { try JSONSchema(JSON(parsing: Array(text.utf8))).pattern() }

  @Test func `schemas match the texts that fulfil them`() throws {
    let person = try schema(
      #"{"type": "object", "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}}, "required": ["name"], "additionalProperties": false}"#
    )
    for text in [
      #"{"name":"x"}"#, #"{"name": "é\n", "age": -12}"#, #"{"name":"x", "tags":["a", "b"]}"#,
      #"{"name":"x","age":0,"tags":[]}"#,
    ] { #expect(try matches(person, text), "\(text)") }
    for text in [
      "{}", #"{"age":1}"#, #"{"name":""}"#, #"{"name":"x","age":01}"#, #"{"name":"x",}"#,
      #"{"name":"x","tags":["a","b","a"]}"#,
      #"{"name":"x","other":1}"#, #"{"name":"x" "age":1}"#, "{\"name\":\"\n\"}",
    ] { #expect(try !matches(person, text), "\(text)") }
    let optional = try schema(
      #"{"properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}, "required": ["b"]}"#)
    for (text, fits) in [
      (#"{"b":2}"#, true), (#"{"a":1,"b":2}"#, true), (#"{"b":2,"c":3}"#, true), (#"{"a":1,"b":2,"c":3}"#, true),
      (#"{"a":1,"c":3}"#, false),
      ("{}", false), (#"{"a":1}"#, false),
    ] { #expect(try matches(optional, text) == fits, "\(text)") }
    let reference = try schema(
      ##"{"$defs": {"x": {"type": ["number", "null"]}}, "type": "array", "items": {"$ref": "#/$defs/x"}}"##)
    #expect(try matches(reference, "[1.5,null, -2e3]"))
    #expect(try !matches(reference, "[true]"))
    let free = try schema("{}")
    #expect(try matches(free, #"{"a": [1, {"b": "c"}]}"#))
    let inside = try schema(#"{"type": "string", "pattern": "a[\"x]b"}"#)
    #expect(try matches(inside, #""__a\"b__""#) && matches(inside, #""axb""#) && !matches(inside, #""ab""#))
    let anchored = try schema(#"{"type": "string", "pattern": "^(a|b)$"}"#)
    #expect(try matches(anchored, #""a""#) && !matches(anchored, #""ab""#))
  }

  @Test(arguments: [
    #"{"type": "integer", "minimum": 3}"#, #"{"oneOf": [{"type": "null"}]}"#, #"{"type": "string", "format": "date"}"#,
    ##"{"$ref": "#"}"##, ##"{"$ref": "#/nowhere"}"##, #"{"enum": []}"#, #"{"type": "strange"}"#, #"{"type": []}"#, "[]",
    "false",
    #"{"type": "array", "minItems": 2, "maxItems": 1}"#, #"{"type": "object", "required": ["a"]}"#,
    #"{"type": "string", "minLength": 100000}"#, #"{"type": "string", "pattern": "^a|b$"}"#,
    #"{"$ref": "https://example.org/x"}"#,
  ])
  func `a schema that is not supported, or that nothing fulfils, is refused`(text: String) {
    #expect(throws: Failure.self) { try ByteMachine(schema(text)) }
  }

  @Test func `what is written with a schema is JSON that fulfils it`() throws {
    let text = try write(
      {
        try TextConstraint(
          schema: JSON(
            parsing: Array(
              #"{"properties": {"ok": {"type": "boolean"}, "n": {"type": "integer"}}, "required": ["ok", "n"]}"#.utf8)),
          vocabulary: $0, endTokens: $1)
      }, likes: ["Sure! ", "{\"ok\": true, \"n\": 42"], ["{\"", "true", "\":"])
    let json = try JSON(parsing: Array(text.utf8))
    #expect(json["ok"]?.bool != nil && json["n"]?.integer != nil)
  }
}
