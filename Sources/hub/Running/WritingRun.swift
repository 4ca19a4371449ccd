import Dovetail
import Foundation
import HubArchive
import HubGeneration
import HubTokenizers
import HubWords

/// A line of the input of `hub generate`.
struct WritingLine {
  let id: JSON?
  let setup: String?
  let options: JSONObject?
  let input: Result<WritingInput, Failure>

  init(id: JSON? = nil, setup: String? = nil, options: JSONObject? = nil, _ input: Result<WritingInput, Failure>) {
    (self.id, self.setup, self.options, self.input) = (id, setup, options, input)
  }

  /// All lines that are not blank.
  ///
  /// - Parameter format: what they are; if `nil`, JSON objects where the first one is one
  static func all(_ bytes: InputBytes, format: LineFormat?) throws -> [WritingLine] {
    let reader = LineReader(bytes)
    var lines: [WritingLine] = [], format = format, number = 0
    while let line = try reader.next() {
      number += 1
      guard case .bytes(let bytes) = line, let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.malformedLine, "the line is too long, or not UTF-8", at: "line \(number)")
      }
      guard text.contains(where: { !$0.isWhitespace }) else { continue }
      let known = format ?? (text.first == "{" ? .jsonl : .text)
      format = known
      lines.append(known == .text ? WritingLine(.success(.text(text))) : object(bytes, at: "line \(number)"))
    }
    return lines
  }

  private static func object(_ bytes: [UInt8], at place: String) -> WritingLine {
    do {
      let object = try JSONObject(
        JSON(parsing: bytes, limits: JSON.Limits(bytes: LineReader.limit, keepsNumerals: true)))
      let known = ["id", "text", "chat", "setup", "options"]
      if let other = object.members.entries.first(where: { !known.contains($0.key) }) {
        throw Failure(
          .malformedLine, "a line cannot have the key \(other.key.debugDescription)",
          hint: "it can have " + known.joined(separator: ", "))
      }
      let chat = try object.optional("chat", "a list of messages") { $0.array.map(JSON.array) }
      guard let input = try object.optionalString("text").map(WritingInput.text) ?? chat.map(WritingInput.chat) else {
        throw Failure(.malformedLine, "a line needs \"text\" or \"chat\"")
      }
      return WritingLine(
        id: object.members["id"], setup: try object.optionalString("setup"),
        options: try object.optionalObject("options"), .success(input))
    } catch {
      let failure = error as? Failure ?? Failure(.malformedLine, "\(error)")
      return WritingLine(.failure(failure.within(place)))
    }
  }
}

/// What every text of a command must be like.
struct Constraints {
  private let tokenizer: any Tokenizer
  private let writing: WritingOptions

  init(_ tokenizer: any Tokenizer, _ writing: WritingOptions) { (self.tokenizer, self.writing) = (tokenizer, writing) }

  func constraint(_ options: GenerationOptions) throws -> TextConstraint? {
    let ends = options.endTokens
    if !writing.choice.isEmpty {
      return try TextConstraint(choices: writing.choice, vocabulary: VocabularyBytes(tokenizer), endTokens: ends)
    }
    if let regex = writing.regex {
      return try TextConstraint(expression: regex, vocabulary: VocabularyBytes(tokenizer), endTokens: ends)
    }
    guard let path = writing.jsonSchema else { return nil }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw Failure(.malformedConstraint, "the file of the schema cannot be read", at: path)
    }
    return try locating(path) {
      try TextConstraint(schema: JSON(parsing: bytes), vocabulary: VocabularyBytes(tokenizer), endTokens: ends)
    }
  }
}

/// Writes all texts of a command, and prints them in the order of the input.
final class WritingRun {
  private var writer: TextWriter
  private let options: GenerationOptions
  private let constraint: Result<TextConstraint?, any Error>
  private let setup: String?
  private let isChat, isJSON, streams: Bool
  private var results: [Int: Result<[WrittenAnswer], Failure>] = [:]

  init(
    writer: TextWriter, options: GenerationOptions, constraints: Constraints, setup: String?, isChat: Bool,
    isJSON: Bool,
    streams: Bool
  ) {
    (self.writer, self.options, self.setup) = (writer, options, setup)
    (self.isChat, self.isJSON) = (isChat, isJSON)
    self.streams = streams && options.returnedSequences == 1 && options.beams == 1
    constraint = Result { try constraints.constraint(options) }
  }

  /// - Returns: how many lines have an error instead of a text
  func answer(_ lines: [WritingLine]) throws -> Int {
    let constraint = try constraint.get()
    var places: [Int: Int] = [:]
    for (place, line) in lines.enumerated() {
      do {
        places[try submit(line, constraint)] = place
      } catch let failure as Failure {
        results[place] = .failure(failure)
      }
    }
    var failures = 0, next = 0
    func printReady() throws {
      while let result = results.removeValue(forKey: next) {
        if case .failure = result { failures += 1 }
        try put(lines[next], result)
        next += 1
      }
    }
    try printReady()
    while !writer.isIdle {
      for event in try writer.step() {
        switch event {
        case .text(_, _, let piece): if streams { try Self.write(piece) }
        case .finished(let request, let answers): if let place = places[request] { results[place] = .success(answers) }
        case .failed(let request, let failure): if let place = places[request] { results[place] = .failure(failure) }
        }
      }
      try printReady()
    }
    return failures
  }

  private func submit(_ line: WritingLine, _ constraint: TextConstraint?) throws -> Int {
    var input = try line.input.get(), own = options
    if isChat, case .text(let text) = input { input = .chat([["role": "user", "content": .string(text)]]) }
    if let options = line.options { try own.merge(options) }
    let composition = try (line.setup ?? setup).map { try Composition(parsing: $0) }
    return try writer.submit(input, composition: composition, options: own, constraint: constraint)
  }

  /// A text with its lines and tabs, and without what would steer a terminal.
  private static func shown(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map { Console.escaped(String($0)) }.joined(
        separator: "\t")
    }.joined(separator: "\n")
  }

  private static func write(_ piece: String) throws {
    Progress.shared.clear()
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(Self.shown(piece).utf8))
    } catch {
      throw Failure(.unwritableOutput, "cannot write to standard output")
    }
  }

  private func put(_ line: WritingLine, _ result: Result<[WrittenAnswer], Failure>) throws {
    switch result {
    case .failure(let failure):
      if isJSON {
        try Console.put(Console.escapedJSON(JSON.object(members(line, ["error": .string(failure.message)])).text()))
      } else {
        Console.report(failure)
      }
    case .success(let answers):
      for (number, answer) in answers.enumerated() {
        if isJSON {
          try Console.put(
            Console.escapedJSON(JSON.object(members(line, Self.members(answer, number, of: answers.count))).text()))
        } else {
          // What was streamed stands there already, as it was written.
          try Console.put(streams ? "" : Self.shown(answer.text))
        }
      }
    }
  }

  private func members(_ line: WritingLine, _ others: JSON.Members) -> JSON.Members {
    var members = JSON.Members()
    members["id"] = line.id
    return members.with(others)
  }

  private static func members(_ answer: WrittenAnswer, _ number: Int, of count: Int) -> JSON.Members {
    var members = JSON.Members()
    members["text"] = .string(answer.text)
    members["tokens"] = .array(answer.sequence.tokens.map { .integer(Int($0)) })
    members["finish_reason"] = .string(answer.sequence.finishReason.rawValue)
    if count > 1 { members["index"] = .integer(number) }
    members["score"] = answer.sequence.score.map { .number(Double($0)) }
    if !answer.sequence.details.isEmpty {
      members["logprobs"] = .array(
        answer.sequence.details.map { detail in
          [
            "logprob": .number(Double(detail.logProbability)),
            "top": .array(
              detail.alternatives.map {
                ["token": .integer(Int($0.token)), "logprob": .number(Double($0.logProbability))]
              }),
          ]
        })
    }
    return members
  }
}
