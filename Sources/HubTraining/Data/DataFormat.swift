import HubArchive
import HubWords

/// How files of training data are written. One case here, one function below.
public enum DataFormat: String, CaseIterable, Sendable {
  /// An object a line.
  case jsonl
  /// A table with a line of names, tabs between columns; quotes are text.
  case tsv
  /// A table with a line of names, commas between columns, quoted as RFC 4180 has it.
  case csv
  /// A word a line with its tag in the last column, an empty line after each sentence.
  case conll
  /// Universal Dependencies' ten columns.
  case conllu
  /// One JSON document of questions about texts (Rajpurkar et al. 2016).
  case squad
  /// A text a line.
  case text

  private static let endings: [String: DataFormat] = [
    "jsonl": .jsonl, "ndjson": .jsonl, "tsv": .tsv, "csv": .csv, "conll": .conll, "bio": .conll, "iob": .conll,
    "conllu": .conllu, "json": .squad, "txt": .text,
  ]

  /// The format that the end of a file's name tells, `.gz` aside.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsuitableData``.
  public init(ofFile path: String) throws {
    let name = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path
    guard let format = Self.endings[name.split(separator: ".").last.map { $0.lowercased() } ?? ""] else {
      throw Failure(
        .unsuitableData, "the file's name does not tell its format", at: path,
        hint: "format: \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self = format
  }

  /// All rows of a file, plain or in gzip.
  ///
  /// - Throws: ``Failure`` that names the file and the line.
  public func rows(ofFile path: String) throws -> [DataRow] {
    let lines = try TextLines(path)
    let rows: [DataRow] =
      switch self {
      case .jsonl: try Self.objects(lines)
      case .tsv: try Self.table(lines, separator: "\t", isQuoted: false)
      case .csv: try Self.table(lines, separator: ",", isQuoted: true)
      case .conll: try Self.sentences(lines) { lines in try Self.tagged(lines, in: path) }
      case .conllu: try Self.sentences(lines) { lines in try Self.parsed(lines, in: path) }
      case .squad: try Self.questions(lines)
      case .text: try Self.texts(lines)
      }
    guard !rows.isEmpty else { throw Failure(.unsuitableData, "the file has no rows", at: path) }
    return rows
  }

  private static func texts(_ lines: TextLines) throws -> [DataRow] {
    var rows: [DataRow] = []
    while let line = try lines.next() {
      if line.contains(where: { !$0.isWhitespace }) {
        rows.append(DataRow(["text": .string(line)], file: lines.path, line: lines.number))
      }
    }
    return rows
  }

  private static func objects(_ lines: TextLines) throws -> [DataRow] {
    var rows: [DataRow] = []
    while let line = try lines.next() {
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      do {
        rows.append(
          DataRow(try JSONObject(JSON(parsing: Array(line.utf8))).members, file: lines.path, line: lines.number))
      } catch let failure as Failure {
        throw lines.failure("not a JSON object: \(failure.message)")
      }
    }
    return rows
  }

  private static func table(_ lines: TextLines, separator: Character, isQuoted: Bool) throws -> [DataRow] {
    func fields() throws -> (fields: [String], line: Int)? {
      guard var text = try lines.next() else { return nil }
      let line = lines.number
      guard isQuoted else {
        return (text.split(separator: separator, omittingEmptySubsequences: false).map(String.init), line)
      }
      while text.count(where: { $0 == "\"" }) % 2 == 1 {
        guard let more = try lines.next() else {
          throw Failure(.malformedRow, "a quote is not closed", at: "\(lines.path): line \(line)")
        }
        text += "\n" + more
      }
      return (Self.unquoted(text, separator), line)
    }
    guard let (names, _) = try fields() else { return [] }
    guard Set(names).count == names.count, names.count > 1 else {
      throw lines.failure("the first line does not name the columns", hint: "such as: text\(separator)label")
    }
    var rows: [DataRow] = []
    while let (values, line) = try fields() {
      if values == [""] { continue }
      guard values.count == names.count else {
        throw Failure(
          .malformedRow, "the line has \(values.count) columns, but the first line names \(names.count)",
          at: "\(lines.path): line \(line)")
      }
      var columns = JSON.Members()
      for (name, value) in zip(names, values) { columns[name] = .string(value) }
      rows.append(DataRow(columns, file: lines.path, line: line))
    }
    return rows
  }

  private static func unquoted(_ text: String, _ separator: Character) -> [String] {
    var fields: [String] = [], field = "", isInside = false, last: Character?
    for character in text {
      if character == "\"" {
        // Two quotes inside are one.
        if !isInside, last == "\"" { field.append("\"") }
        isInside.toggle()
      } else if character == separator, !isInside {
        fields.append(field)
        field = ""
      } else {
        field.append(character)
      }
      last = character
    }
    return fields + [field]
  }

  /// The lines between empty ones, comments aside.
  private static func sentences(
    _ lines: TextLines, _ row: ([(columns: [String], number: Int)]) throws -> DataRow?
  ) throws -> [DataRow] {
    var rows: [DataRow] = [], open: [(columns: [String], number: Int)] = []
    func close() throws {
      if let row = try open.isEmpty ? nil : row(open) { rows.append(row) }
      open = []
    }
    while let line = try lines.next() {
      if !line.contains(where: { !$0.isWhitespace }) {
        try close()
      } else if !(line.hasPrefix("#") && (open.isEmpty || line.hasPrefix("# "))) {
        let separator: Character = line.contains("\t") ? "\t" : " "
        open.append((line.split(separator: separator).map(String.init), lines.number))
      }
    }
    try close()
    return rows
  }

  private static func tagged(_ lines: [(columns: [String], number: Int)], in file: String) throws -> DataRow? {
    if lines[0].columns[0] == "-DOCSTART-" { return nil }
    for line in lines where line.columns.count < 2 {
      throw Failure(.malformedRow, "a word without a tag", at: "\(file): line \(line.number)")
    }
    return DataRow(
      [
        "words": .array(lines.map { .string($0.columns[0]) }),
        "tags": .array(lines.map { .string($0.columns[$0.columns.count - 1]) }),
      ], file: file, line: lines[0].number)
  }

  /// Words, parts of speech, heads and relations; contracted and empty words are left out.
  private static func parsed(_ lines: [(columns: [String], number: Int)], in file: String) throws -> DataRow? {
    let words = lines.filter { !$0.columns[0].contains("-") && !$0.columns[0].contains(".") }
    var heads: [JSON] = []
    for (index, word) in words.enumerated() {
      guard word.columns.count == 10, word.columns[0] == "\(index + 1)" else {
        throw Failure(
          .malformedRow, "expected a word of ten columns, numbered in order", at: "\(file): line \(word.number)")
      }
      guard let head = Int(word.columns[6]), (0...words.count).contains(head) else {
        throw Failure(
          .malformedRow, "the head \(word.columns[6].debugDescription) is not a word of the sentence",
          at: "\(file): line \(word.number)")
      }
      heads.append(.integer(head))
    }
    return words.isEmpty
      ? nil
      : DataRow(
        [
          "words": .array(words.map { .string($0.columns[1]) }), "tags": .array(words.map { .string($0.columns[3]) }),
          "heads": .array(heads), "relations": .array(words.map { .string($0.columns[7]) }),
        ], file: file, line: words[0].number)
  }

  private static func questions(_ lines: TextLines) throws -> [DataRow] {
    var text = ""
    while let line = try lines.next() { text += line + "\n" }
    return try locating(lines.path) {
      let document = try JSONObject(JSON(parsing: Array(text.utf8), limits: JSON.Limits(bytes: LineReader.limit)))
      var rows: [DataRow] = []
      for (number, article) in try document.array("data").enumerated() {
        let article = try JSONObject(article, path: "data[\(number)]")
        for (index, paragraph) in try article.array("paragraphs").enumerated() {
          let paragraph = try JSONObject(paragraph, path: "\(article.path).paragraphs[\(index)]")
          let context = try paragraph.string("context")
          for (place, item) in try paragraph.array("qas").enumerated() {
            let item = try JSONObject(item, path: "\(paragraph.path).qas[\(place)]")
            rows.append(
              DataRow(
                [
                  "question": .string(try item.string("question")), "context": .string(context),
                  "answers": .array(try item.array("answers")),
                ], file: "\(lines.path): \(item.path)", line: 1))
          }
        }
      }
      return rows
    }
  }
}

/// The lines of a file as text.
final class TextLines {
  let path: String
  /// Of the last line, counted from 1.
  private(set) var number = 0
  private let reader: LineReader

  init(_ path: String) throws {
    self.path = path
    reader = LineReader(try InputBytes(path: path))
  }

  func failure(_ message: String, hint: String? = nil) -> Failure {
    Failure(.malformedRow, message, at: "\(path): line \(number)", hint: hint)
  }

  func next() throws -> String? {
    guard let line = try reader.next() else { return nil }
    number += 1
    guard case .bytes(let bytes) = line else {
      throw failure("the line has more than \(LineReader.limit >> 20) MB")
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw failure("the line is not UTF-8", hint: "iconv -f LATIN1 -t UTF-8 converts Latin-1")
    }
    return text
  }
}
