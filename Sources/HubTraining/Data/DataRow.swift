public import HubWords

extension Failure.Code {
  /// A row of training data is not what its format or its task says.
  public static let malformedRow = Self("data/row", .badData)
  /// A file of training data has an unknown format, or no rows.
  public static let unsuitableData = Self("data/file", .badData)
}

/// One row of training data: the columns by their names, and where the row stands.
public struct DataRow: Sendable {
  /// The columns: text from tables, whatever JSON has from JSON lines, arrays of text from CoNLL.
  public let columns: JSON.Members
  /// The file.
  public let file: String
  /// The line where it begins, counted from 1.
  public let line: Int

  public init(_ columns: JSON.Members, file: String, line: Int) {
    (self.columns, self.file, self.line) = (columns, file, line)
  }

  /// What is wrong with the row, by file and line.
  public func failure(_ message: String, hint: String? = nil) -> Failure {
    Failure(.malformedRow, message, at: "\(file): line \(line)", hint: hint)
  }

  /// A column that must be there.
  public func value(_ column: String) throws -> JSON {
    guard let value = columns[column], !value.isNull else {
      let there = columns.entries.map(\.key).joined(separator: ", ")
      throw failure(
        "there is no column \(column.debugDescription)",
        hint: "there are: \(there); columns of the recipe, or --column, say which is which")
    }
    return value
  }

  /// A column of text that must be there, and not be empty.
  public func text(_ column: String) throws -> String {
    guard let text = try value(column).string else { throw failure("\(column) is not text") }
    guard text.contains(where: { !$0.isWhitespace }) else { throw failure("\(column) is empty") }
    return text
  }

  /// A column of text; `nil` if it is not there.
  public func optionalText(_ column: String) throws -> String? { columns[column] == nil ? nil : try text(column) }

  /// A column that names a label: text, a number or a truth value.
  public func label(_ column: String) throws -> String {
    switch try value(column) {
    case .string(let text) where !text.isEmpty: return text
    case .integer(let number): return "\(number)"
    case .bool(let flag): return flag ? "true" : "false"
    default: throw failure("\(column) does not name a label")
    }
  }

  /// A column of several texts: an array, or in a table one text with spaces between them.
  public func texts(_ column: String) throws -> [String] {
    let value = try value(column)
    if let texts = value.strings { return texts }
    guard let text = value.string else { throw failure("\(column) is not a list of texts") }
    return text.split(separator: " ").map(String.init)
  }
}
