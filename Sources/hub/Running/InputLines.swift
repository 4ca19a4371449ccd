import Dovetail
import Foundation
import HubWords

extension Failure.Code {
  /// A line of the input is not what `hub run` reads.
  static let malformedLine = Self("run/line", .badData)
}

/// One thing to answer, with what its answer repeats.
struct InputLine {
  /// The `id` of a JSON line.
  let id: JSON?
  /// The setup that a JSON line asks for, instead of the command's.
  let setup: String?
  let input: Result<TextInput, Failure>
}

/// Reads questions line by line: JSON objects if the first line is one, plain texts otherwise.
struct InputReader {
  private let lines: LineReader
  private var isJSON: Bool?
  private var number = 0

  init(_ file: FileHandle) { lines = LineReader(file) }

  /// The questions that can be read without waiting, at least one and at most `limit`; empty at the end of the input.
  mutating func next(upTo limit: Int) throws -> [InputLine] {
    var questions: [InputLine] = []
    while questions.count < limit, questions.isEmpty || lines.hasLine, let line = try lines.next() {
      number += 1
      let text = String(decoding: line, as: UTF8.self)
      if text.allSatisfy(\.isWhitespace) { continue }
      let readsJSON = isJSON ?? (text.first { !$0.isWhitespace } == "{")
      isJSON = readsJSON
      questions.append(
        readsJSON
          ? Self.line(line, at: "line \(number)") : InputLine(id: nil, setup: nil, input: .success(.text(text))))
    }
    return questions
  }

  /// `{"text": …}`, `{"text": …, "text_pair": …}`, `{"text": …, "choices": […]}` or `{"words": […]}`, each with an optional `id`
  /// and an optional `setup`.
  private static func line(_ line: [UInt8], at place: String) -> InputLine {
    var id: JSON?
    do {
      let object = try JSONObject(JSON(parsing: line))
      id = object.members["id"]
      return InputLine(id: id, setup: try object.optionalString("setup"), input: .success(try input(object)))
    } catch let failure as Failure {
      return InputLine(id: id, setup: nil, input: .failure(failure.within(place)))
    } catch {
      return InputLine(id: id, setup: nil, input: .failure(Failure(.malformedLine, "\(error)", at: place)))
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

/// Splits a file into lines without waiting for more than the next one.
private final class LineReader {
  private let file: FileHandle
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var isFirst = true
  private static let limit = 16 << 20

  init(_ file: FileHandle) { self.file = file }

  /// Whether a whole line has been read already.
  var hasLine: Bool { buffer[start...].contains(UInt8(ascii: "\n")) }

  /// A line as other systems write it: without the carriage return at its end, and the mark that a file begins with.
  private func text(_ line: Range<Int>) -> [UInt8] {
    let bytes = buffer[line].last == UInt8(ascii: "\r") ? buffer[line].dropLast() : buffer[line]
    defer { isFirst = false }
    return Array(isFirst && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes)
  }

  func next() throws -> [UInt8]? {
    while true {
      if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return text(start..<end)
      }
      if isAtEnd {
        defer { start = buffer.count }
        return start < buffer.count ? text(start..<buffer.count) : nil
      }
      buffer.removeFirst(start)
      start = 0
      guard buffer.count <= Self.limit else {
        throw Failure(.malformedLine, "a line has more than \(Self.limit) bytes")
      }
      let bytes = file.availableData
      if bytes.isEmpty { isAtEnd = true } else { buffer += bytes }
    }
  }
}
