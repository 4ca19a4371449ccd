import HubWords
import Testing

@Suite struct CompositionTests {
  @Test(arguments: [
    ("pos", Composition.adapter("pos")),
    (" stack( de ,pos )", .stack("de", "pos")),
    (
      "Stack(lang/sw@1.0.0, fuse(a, stack(b, c), name=both))",
      .stack("lang/sw@1.0.0", .fuse("a", .stack("b", "c"), name: "both"))
    ),
    ("stack", "stack"),
    ("parallel(a, stack(b, c))", .parallel("a", .stack("b", "c"))),
    ("split(a, b, tokens=[5, 4])", .split(["a", "b"], tokens: [5, 4])),
    (
      "BatchSplit(a, average(b, c), sequences=[1,2])",
      .batchSplit(["a", .average(["b", "c"], weights: nil, normalizes: true)], sequences: [1, 2])
    ),
    ("average(a, b, weights=[3, 0.5], normalize=false)", .average(["a", "b"], weights: [3, 0.5], normalizes: false)),
  ])
  func readsItsGrammar(text: String, expected: Composition) throws {
    #expect(try Composition(parsing: text) == expected)
    #expect(try Composition(parsing: expected.description) == expected)
  }

  @Test(arguments: [
    ("stack(a, fus(b))", "fus", Failure.Code.malformedComposition),
    ("stack(a, stack(b))", "stack(b", .forbiddenNesting),
    ("fuse(a, fuse(b, c))", "fuse(b", .forbiddenNesting),
    ("stack(a", "", .malformedComposition),
    ("stack()", ")", .malformedComposition),
    ("a b", "b", .malformedComposition),
    ("fuse(a, nam=x)", "nam", .malformedComposition),
    ("fuse(name=x)", ")", .malformedComposition),
    ("", "", .malformedComposition),
    ("stack(,)", ",", .malformedComposition),
    ("split(a, b)", "split", .malformedComposition),
    ("split(a, b, tokens=[1])", "tokens", .malformedComposition),
    ("batch_split(a, b, sequences=[1, 0])", "sequences", .malformedComposition),
    ("batch_split(a, b, sequences=[1, 2)", ")", .malformedComposition),
    ("average(a, b, weights=[1, -1])", "average", .malformedComposition),
    ("fuse(a, parallel(b, c))", "parallel", .forbiddenNesting),
    ("parallel(a, parallel(b, c))", "parallel(b", .forbiddenNesting),
    ("stack(a, average(b, average(c, d)))", "average(c", .forbiddenNesting),
    ("stack(a, average(b, split(c, d, tokens=[1, 1])))", "split", .forbiddenNesting),
  ])
  func pointsAtWhatIsWrong(text: String, place: String, code: Failure.Code) throws {
    let failure = try #require(throws: Failure.self) { try Composition(parsing: text) }
    #expect(failure.code == code)
    let lines = try #require(failure.subject).split(separator: "\n", omittingEmptySubsequences: false)
    let caret = try #require(lines.last?.firstIndex(of: "^"))
    let offset = lines[1].distance(from: lines[1].startIndex, to: caret)
    #expect(text.dropFirst(offset).hasPrefix(place))
  }

  @Test func checksWhatWasBuiltInCode() {
    #expect { try Composition.stack("a", .stack("b", "c")).check() } throws: {
      ($0 as? Failure)?.code == .forbiddenNesting
    }
    #expect { try Composition.stack([]).check() } throws: { ($0 as? Failure)?.code == .malformedComposition }
  }

  @Test func knowsItsLeaves() {
    let composition: Composition = .stack("de", .fuse("a", .stack("b", "c")))
    #expect(composition.leaves == ["de", "a", "b", "c"])
    #expect(Composition.members(of: ["a", .stack("b", "c")]) == ["a", "c"])
  }

  @Test(arguments: [
    ("drop(0-4, stack(de, ner))", Composition.drop(.stack("de", "ner"), layers: [0, 1, 2, 3, 4])),
    ("drop([0, 2-3], a)", .drop("a", layers: [0, 2, 3])),
    ("batch_split(base, a, sequences=[1, 2])", .batchSplit([.base, "a"], sequences: [1, 2])),
    ("MultiTask(a, b)", .multiTask(["a", "b"])),
    ("stack(a, drop(1, fuse(b, c)))", .stack(["a", .drop(.fuse("b", "c"), layers: [1])])),
  ])
  func readsWhatThePythonLibraryHasNoWordsFor(text: String, expected: Composition) throws {
    let read = try Composition(parsing: text)
    #expect(read == expected)
    #expect(try Composition(parsing: read.description) == read)
  }

  @Test(arguments: [
    ("drop(a, b)", 5), ("drop(3-1, a)", 5), ("drop(0-9999, a)", 5), ("drop(1, a", 9), ("drop(1, drop(2, a))", 8),
    ("drop(1, a, b)", 9),
    ("stack(drop(1, stack(a, b)), c)", 6),
  ])
  func showsWhatIsWrongWithADrop(text: String, column: Int) throws {
    let failure = try #require(throws: Failure.self) { try Composition(parsing: text) }
    #expect(failure.subject == "\(text)\n\(String(repeating: " ", count: column))^")
  }

  @Test func pointsAtItsParts() throws {
    let whole = try Composition(parsing: "stack(de, fuse(a, b, name=ab))")
    #expect(whole.pointing(at: "b").hasSuffix("\n" + String(repeating: " ", count: 18) + "^"))
    #expect(whole.pointing(at: .fuse("a", "b", name: "ab")).hasSuffix("\n" + String(repeating: " ", count: 10) + "^"))
  }
}
