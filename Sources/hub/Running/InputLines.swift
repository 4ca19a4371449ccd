import Dovetail
import HubArchive
import HubWords

extension Failure.Code {
  /// A line of the input is not what `hub run` reads.
  static let malformedLine = Self("run/line", .badData)
}

/// One thing to answer, with what its answer repeats.
struct InputLine {
  /// The `id` of a JSON line, as it was written.
  let id: JSON?
  /// The setup that a JSON line asks for, instead of the command's.
  let setup: String?
  let input: Result<TextInput, Failure>

  init(id: JSON? = nil, setup: String? = nil, _ input: Result<TextInput, Failure>) {
    (self.id, self.setup, self.input) = (id, setup, input)
  }
}

/// What the lines of an input are.
enum LineFormat: String, CaseIterable {
  case text, jsonl
}

/// Reads questions line by line. Without a format, the first line tells which it is: where a JSON object begins, all
/// lines are objects. What could be either is refused, and never answered as the other.
struct InputReader {
  private let lines: LineReader
  private let isTold: Bool
  private var format: LineFormat?
  private var waiting: [(line: LineReader.Line, number: Int)] = []
  private var number = 0

  init(_ input: InputBytes, format: LineFormat? = nil) {
    lines = LineReader(input)
    self.format = format
    isTold = format != nil
  }

  /// The questions that can be read without waiting, at least one and at most `limit`; empty at the end of the input.
  ///
  /// - Throws: ``Failure`` where the input cannot be read, or where its first lines leave open what they are.
  mutating func next(upTo limit: Int) throws -> [InputLine] {
    var questions: [InputLine] = []
    while questions.count < limit, questions.isEmpty || !waiting.isEmpty || lines.hasLine,
      let (line, number) = try nextLine()
    {
      let known = try format ?? guess(line)
      format = known
      questions.append(question(line, known, at: "line \(number)"))
    }
    return questions
  }

  /// The next line that is not blank.
  private mutating func nextLine() throws -> (line: LineReader.Line, number: Int)? {
    if !waiting.isEmpty { return waiting.removeFirst() }
    while let line = try lines.next() {
      number += 1
      if case .bytes(let bytes) = line, bytes.allSatisfy(\.isSpace) { continue }
      return (line, number)
    }
    return nil
  }

  /// What all lines are, if this is the first.
  private mutating func guess(_ line: LineReader.Line) throws -> LineFormat {
    guard case .bytes(let bytes) = line else { return .text }
    let start = bytes.drop(while: \.isSpace), rest = start.dropFirst().drop(while: \.isSpace)
    switch start.first {
    case UInt8(ascii: "{"):
      if let next = rest.first, [UInt8(ascii: "\""), UInt8(ascii: "}")].contains(next) { return .jsonl }
      let isAlone = rest.isEmpty
      throw unclear(
        isAlone
          ? "the input is a JSON object on several lines, and hub run reads JSON lines: one object a line"
          : "the first line begins with a brace but is not a JSON object")
    case UInt8(ascii: "[")
    where rest.isEmpty || rest.first == UInt8(ascii: "{") || (try? JSON(parsing: bytes)) != nil:
      throw Failure(
        .malformedLine, "the input is a JSON array, and hub run reads JSON lines: one object a line",
        hint: "convert it with jq -c '.[]' FILE, or read the lines as they are with --format text")
    case _ where start.starts(with: Array("#".utf8)) || start.starts(with: Array("//".utf8)):
      // A comment, or a text: what follows tells.
      guard let following = try nextLine() else { return .text }
      waiting.append(following)
      if case .bytes(let bytes) = following.line, Self.isObject(bytes) {
        throw unclear("the first line is a comment, and a JSON object follows; JSON lines have no comments")
      }
      return .text
    default: return .text
    }
  }

  private func unclear(_ message: String) -> Failure {
    Failure(.malformedLine, message, hint: "say what the lines are with --format text or --format jsonl")
  }

  private static func isObject(_ line: [UInt8]) -> Bool {
    guard line.first(where: { !$0.isSpace }) == UInt8(ascii: "{") else { return false }
    return (try? JSON(parsing: line))?.object != nil
  }

  private func question(_ line: LineReader.Line, _ format: LineFormat, at place: String) -> InputLine {
    guard case .bytes(let bytes) = line else {
      return InputLine(
        .failure(Failure(.malformedLine, "the line has more than \(LineReader.limit >> 20) MB", at: place)))
    }
    return format == .jsonl ? Self.object(bytes, at: place) : text(bytes, at: place)
  }

  private func text(_ line: [UInt8], at place: String) -> InputLine {
    func refused(_ message: String, _ hint: String) -> InputLine {
      InputLine(.failure(Failure(.malformedLine, message, at: place, hint: hint)))
    }
    guard let text = String(validating: line, as: UTF8.self) else {
      return refused("the line is not UTF-8", "iconv -f LATIN1 -t UTF-8 converts Latin-1")
    }
    guard !line.contains(0) else {
      return refused("the line holds zero bytes: either UTF-16, or not text", "iconv -f UTF-16 -t UTF-8")
    }
    guard isTold || !Self.isObject(line) else {
      return refused(
        "the line is a JSON object, and the first line is not",
        "say what the lines are with --format text or --format jsonl")
    }
    return InputLine(.success(.text(text)))
  }

  /// `{"text": …}`, `{"text": …, "text_pair": …}`, `{"text": …, "choices": […]}` or `{"words": […]}`, each with an
  /// optional `id` and an optional `setup`.
  private static func object(_ line: [UInt8], at place: String) -> InputLine {
    let (members, failure) = JSON.members(
      parsing: line, limits: JSON.Limits(bytes: LineReader.limit, keepsNumerals: true))
    let id = members["id"]
    do {
      if let failure { throw failure }
      let object = JSONObject(members)
      return InputLine(id: id, setup: try object.optionalString("setup"), .success(try input(object)))
    } catch {
      let failure = error as? Failure ?? Failure(.malformedLine, "\(error)")
      return InputLine(id: id, .failure(failure.within(place)))
    }
  }

  private static func input(_ object: JSONObject) throws -> TextInput {
    if let words = try object.optionalStrings("words") { return .words(words) }
    guard let text = try object.optionalString("text") else {
      throw Failure(.malformedLine, "a line needs \"text\" or \"words\"")
    }
    if let choices = try object.optionalStrings("choices") { return .choices(text, choices) }
    return .text(text, pair: try object.optionalString("text_pair"))
  }
}

extension UInt8 {
  /// White space within ASCII, the line break apart.
  fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
