import Foundation
import HubTesting
import HubTraining
import HubWords
import Testing

@Suite struct DataFormatTests {
  private func rows(_ text: String, _ name: String) throws -> [DataRow] {
    let scratch = try Scratch(), path = scratch(name)
    try Data(text.utf8).write(to: URL(filePath: path))
    return try DataFormat(ofFile: path).rows(ofFile: path)
  }

  private func refusal(_ text: String, _ name: String) throws -> Failure {
    try #require(throws: Failure.self) { try rows(text, name) }
  }

  @Test func readsEachFormat() throws {
    #expect(try rows("{\"text\": \"a\", \"label\": 1}\n\n{\"text\": \"b\"}\n", "x.jsonl").map(\.line) == [1, 3])
    let table = try rows("text\tlabel\na \"b\tgood\n", "x.tsv")
    #expect(table[0].columns == ["text": "a \"b", "label": "good"] && table[0].line == 2)
    let quoted = try rows("text,label\r\n\"a, \"\"b\"\"\nc\",good\r\nd,bad\r\n", "x.csv")
    #expect(quoted[0].columns["text"] == "a, \"b\"\nc" && quoted[1].line == 4)
    let tagged = try rows("-DOCSTART- O\n\nEU B-ORG\nrejects O\n\nPeter B-PER\n", "x.conll")
    #expect(tagged.count == 2 && tagged[0].columns["tags"] == ["B-ORG", "O"] && tagged[1].line == 6)
    let word = { (id: String, form: String, head: String) in
      "\(id)\t\(form)\t_\tNOUN\t_\t_\t\(head)\tobj\t_\t_\n"
    }
    let parsed = try rows(
      "# text = a b\n" + word("1-2", "ab", "_") + word("1", "a", "2") + word("2", "b", "0") + "\n", "x.conllu")
    #expect(parsed[0].columns["heads"] == [2, 0] && parsed[0].columns["words"] == ["a", "b"])
    #expect(try rows("one\n\n two\n", "x.txt").map(\.line) == [1, 3])
    let squad = """
      {"data": [{"paragraphs": [{"context": "c", "qas": [{"question": "q", "answers": [{"text": "c", "answer_start": 0}]}]}]}]}
      """
    #expect(try rows(squad, "x.json")[0].columns["question"] == "q")
  }

  @Test(
    arguments: [
      ("{\"text\": 1}\n{", "x.jsonl", "line 2"), ("[1]\n", "x.jsonl", "line 1"), ("a\tb\n1\t2\t3\n", "x.tsv", "line 2"),
      ("text\n1\n", "x.tsv", "line 1"), ("a,b\n\"1,2\n", "x.csv", "line 2"), ("a,a\n1,2\n", "x.csv", "line 1"),
      ("EU B-ORG\nrejects\n", "x.conll", "line 2"), ("1\ta\t_\t_\t_\t_\t7\tobj\t_\t_\n", "x.conllu", "line 1"),
      ("1\ta\n", "x.conllu", "line 1"), ("", "x.txt", "x.txt"), ("x\u{0}y\n", "x.txt", "line 1"),
      ("{\"data\": 1}", "x.json", "data"),
    ])
  func refusesWhatIsMalformedByItsLine(text: String, name: String, place: String) throws {
    let failure = try refusal(text, name)
    #expect(failure.subject?.contains(name) == true && failure.subject?.contains(place) == true, "\(failure)")
  }

  @Test func refusesANameThatSaysNothing() throws {
    #expect(try refusal("a", "x.dat").code == .unsuitableData)
  }
}
