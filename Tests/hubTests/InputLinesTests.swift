import Dovetail
import Foundation
import HubArchive
import HubWords
import Testing

@testable import hub

@Suite struct InputLinesTests {
  private func questions(_ text: String, as format: LineFormat? = nil) throws -> [hub.InputLine] {
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data(text.utf8))
    try pipe.fileHandleForWriting.close()
    var reader = InputReader(
      try InputBytes(descriptor: pipe.fileHandleForReading.fileDescriptor), format: format)
    defer { withExtendedLifetime(pipe) {} }
    var all: [hub.InputLine] = []
    while case let some = try reader.next(upTo: 2), !some.isEmpty { all += some }
    return all
  }

  @Test func linesOfOtherSystemsAreTheSameLines() throws {
    let expected: [TextInput] = [.text("a b"), .text(" c"), .text("d\r")]
    #expect(try questions("a b\n\n c\nd\r\r").map { try $0.input.get() } == expected)
    #expect(try questions("\u{FEFF}a b\r\n\r\n c\r\nd\r\r\n").map { try $0.input.get() } == expected)
  }

  @Test func aMarkBeforeTheFirstObjectIsNoText() throws {
    let questions = try questions("\u{FEFF}{\"id\": 1, \"text\": \"a\"}\r\n{\"words\": [\"b\"]}\r\n{\r\n")
    #expect(try questions.prefix(2).map { try $0.input.get() } == [.text("a"), .words(["b"])])
    #expect(questions[0].id == 1)
    #expect(throws: Failure.self) { try questions[2].input.get() }
  }

  @Test func idsGoThroughAsTheyWereWritten() throws {
    let lines = try questions(
      "{\"id\": 15878708649682983132, \"text\": \"a\", \"x\": NaN}\n{\"id\": 1e2, \"text\": \"b\"}\n{\"id\": 7, \"text\": }"
    )
    #expect(lines.map { $0.id?.text() } == ["15878708649682983132", "1e2", "7"])
    #expect(throws: Failure.self) { try lines[2].input.get() }
  }

  @Test func whatCouldBeEitherIsRefused() throws {
    for text in [
      "{one} is good\n", "[{\"text\": \"a\"}]", "[\n", "{\n\"text\": \"a\"\n}", "# comment\n{\"text\": \"a\"}\n",
    ] {
      #expect(throws: Failure.self, "\(text)") { try questions(text) }
      #expect(try !questions(text, as: .text).isEmpty)
    }
    #expect(try questions("[CLS] a\n# b\n").map { try $0.input.get() } == [.text("[CLS] a"), .text("# b")])
    #expect(throws: Failure.self) { try questions("a\n{\"text\": \"b\"}")[1].input.get() }
  }

  @Test(arguments: [[0xFF, 0xFE, 0x61, 0], [0x50, 0x4B, 3, 4], [0x42, 0x5A, 0x68, 0x39]] as [[UInt8]])
  func otherFormatsAreToldByTheirFirstBytes(start: [UInt8]) throws {
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data(start))
    try pipe.fileHandleForWriting.close()
    #expect(throws: Failure.self) { try InputBytes(descriptor: pipe.fileHandleForReading.fileDescriptor) }
  }

  @Test func aLineThatIsNoUTF8FailsAlone() throws {
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data([0x61, 0x0A, 0x63, 0xE9, 0x0A, 0x62, 0x0A]))
    try pipe.fileHandleForWriting.close()
    var reader = InputReader(try InputBytes(descriptor: pipe.fileHandleForReading.fileDescriptor))
    let lines = try reader.next(upTo: 9)
    #expect(lines.count == 3)
    #expect(throws: Failure.self) { try lines[1].input.get() }
    #expect(try lines[2].input.get() == .text("b"))
  }
}
