import HubWords
import Testing

@testable import HubTokenizers

@Suite struct VocabularyTests {
  @Test func `composed and decomposed letters are two tokens`() throws {
    var vocabulary = Vocabulary()
    try vocabulary.insert("\u{E9}".utf8, id: 0)
    try vocabulary.insert("e\u{301}".utf8, id: 1)
    #expect(vocabulary.id(of: "\u{E9}") == 0)
    #expect(vocabulary.id(of: "e\u{301}") == 1)
  }

  @Test func `grows, leaves ids out, and refuses what is there`() throws {
    var vocabulary = Vocabulary()
    for id in stride(from: 0, to: 2000, by: 2) { try vocabulary.insert("t\(id)".utf8, id: id) }
    #expect(vocabulary.count == 1000)
    #expect(vocabulary.idBound == 1999)
    #expect(vocabulary.id(of: "t1998") == 1998)
    #expect(vocabulary.token(1) == nil)
    for (token, id) in [("t4", 1), ("new", 4), ("new", -1), ("new", InputLimits.tokenIDs), ("new", .max)] {
      #expect(failureCode { try vocabulary.insert(token.utf8, id: id) } == .malformedVocabulary)
    }
    try vocabulary.insert("new".utf8, id: 1)
    #expect(vocabulary.token(1) == "new")
  }

  @Test func `the longest token ends between scalars`() throws {
    var vocabulary = Vocabulary()
    for (id, token) in ["é", "##é", "a", "##aé"].enumerated() { try vocabulary.insert(token.utf8, id: id) }
    let text = Array("éaéè".utf8)
    let first = vocabulary.longestToken(in: text, text.indices, after: vocabulary.start([]))
    #expect(first?.id == 0)
    #expect(first?.end == 2)
    let next = vocabulary.longestToken(in: text, 2..<text.count, after: vocabulary.start(Array("##".utf8)))
    #expect(next?.id == 3)
    #expect(next?.end == 5)
    #expect(vocabulary.longestToken(in: text, 5..<text.count, after: vocabulary.start([])) == nil)
  }
}

@Suite struct CharacterClassesTests {
  @Test(arguments: ["dropped", "accents", "ideographs", "spaces", "punctuation"])
  func `every character has the class that Hugging Face gives it`(name: String) throws {
    let classes = try JSONObject(JSON(parsing: read(Files.fixtures + "unicode.json")))
    let ranges = try classes.array(name).map { try #require($0.integers) }.map { UInt32($0[0])...UInt32($0[1]) }
    var different: [Unicode.Scalar] = []
    var next = ranges.startIndex
    for value in UInt32(0)..<0x110000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      while next < ranges.endIndex, ranges[next].upperBound < value { next += 1 }
      let expected = next < ranges.endIndex && ranges[next].contains(value)
      if Self.has(scalar, name) != expected { different.append(scalar) }
    }
    #expect(different == [])
  }

  private static func has(_ scalar: Unicode.Scalar, _ name: String) -> Bool {
    switch name {
    case "dropped": scalar.isDroppedByCleaning
    case "accents": scalar.isAccent
    case "ideographs": scalar.isIdeograph
    case "spaces": scalar.isSpace
    default: scalar.isBertPunctuation
    }
  }
}

@Suite struct TruncationTests {
  @Test func `windows overlap and reach the end`() {
    #expect(Truncation.windows(10, length: 4, overlap: 1) == [0..<4, 3..<7, 6..<10])
    #expect(Truncation.windows(5, length: 4, overlap: 3) == [0..<4, 1..<5])
    #expect(Truncation.windows(4, length: 4, overlap: 0) == [0..<4])
    #expect(Truncation.windows(3, length: 0, overlap: 0) == [0..<0])
  }

  @Test func `the longer text is shortened first`() {
    #expect(Truncation.longestFirst((10, 3), room: 8) == (5, 3))
    #expect(Truncation.longestFirst((3, 10), room: 8) == (3, 5))
    #expect(Truncation.longestFirst((10, 9), room: 7) == (4, 3))
    #expect(Truncation.longestFirst((2, 3), room: 5) == (2, 3))
    #expect(Truncation.longestFirst((9, 9), room: 0) == (0, 0))
  }
}
