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
}
