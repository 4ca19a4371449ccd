import HubWords
import Testing

@testable import hub

@Suite struct ConsoleTests {
  @Test func everyCategoryHasItsStatus() {
    let expected: [(Failure.Category, Int32)] = [
      (.usage, 64), (.badData, 65), (.notFound, 66), (.cannotCreate, 73), (.inputOutput, 74), (.busy, 75),
      (.refused, 77), (.configuration, 78),
    ]
    #expect(expected.count == Failure.Category.allCases.count)
    for (category, status) in expected { #expect(ExitStatus(category).rawValue == status) }
  }

  @Test func textFromFilesIsEscaped() {
    #expect(Console.escaped("a\u{1B}[2Jb") == "a\\u{1b}[2Jb")
    #expect(Console.escaped("\u{202E}x\u{200B}\n") == "\\u{202e}x\\u{200b}\\u{a}")
    #expect(Console.escaped("Größe 漢字") == "Größe 漢字")
  }

  @Test func tablesFitTheTerminalAndAreWholeForPrograms() {
    var table = Table(["NAME", "BASE"])
    table.add(["a", String(repeating: "x", count: 100)])
    table.add(["a-longer-name", "b"])
    #expect(table.text(width: nil) == "a\t" + String(repeating: "x", count: 100) + "\na-longer-name\tb")
    let lines = table.text(width: 40).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0.count <= 40 })
    #expect(lines[1].hasSuffix("…"))
  }

  @Test func numbersForPeople() {
    #expect(bytes(999) == "999 B")
    #expect(bytes(11_235_192) == "11.2 MB")
    #expect(count(894_528) == "894.5 k")
  }
}
