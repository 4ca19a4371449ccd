import HubManifest
import Testing

@Suite struct CompositionTests {
  @Test(arguments: [
    ("pos", Composition.adapter("pos")),
    (" stack( de ,pos )", .stack("de", "pos")),
    ("Stack(lang/sw@1.0.0, fuse(a, stack(b, c), name=both))", .stack("lang/sw@1.0.0", .fuse("a", .stack("b", "c"), name: "both"))),
    ("stack", "stack"),
  ])
  func readsItsGrammar(text: String, expected: Composition) throws {
    #expect(try Composition(text) == expected)
    #expect(try Composition(expected.description) == expected)
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
  ])
  func pointsAtWhatIsWrong(text: String, place: String, code: Failure.Code) throws {
    let failure = try #require(throws: Failure.self) { try Composition(text) }
    #expect(failure.code == code)
    let lines = try #require(failure.subject).split(separator: "\n", omittingEmptySubsequences: false)
    let caret = try #require(lines.last?.firstIndex(of: "^"))
    let offset = lines[1].distance(from: lines[1].startIndex, to: caret)
    #expect(text.dropFirst(offset).hasPrefix(place))
  }

  @Test func checksWhatWasBuiltInCode() {
    #expect { try Composition.stack("a", .stack("b", "c")).check() } throws: { ($0 as? Failure)?.code == .forbiddenNesting }
    #expect { try Composition.stack([]).check() } throws: { ($0 as? Failure)?.code == .malformedComposition }
  }

  @Test func knowsItsLeaves() {
    let composition: Composition = .stack("de", .fuse("a", .stack("b", "c")))
    #expect(composition.leaves == ["de", "a", "b", "c"])
    #expect(Composition.members(of: ["a", .stack("b", "c")]) == ["a", "c"])
  }
}
