import HubWords

/// How answers are set for people.
public struct AnswerStyle: Sendable {
  /// Columns of the terminal; `nil` where nothing needs to fit.
  public let width: Int?
  private let escape: @Sendable (String) -> String

  /// - Parameter escape: makes text that came from a file harmless for a terminal
  public init(width: Int? = nil, escape: @escaping @Sendable (String) -> String = { $0 }) {
    (self.width, self.escape) = (width, escape)
  }

  /// A text made harmless for a terminal.
  public func escaped(_ text: String) -> String { escape(text) }

  /// The columns that a text takes.
  public func width(of text: String) -> Int { text.columns }

  /// A label, its probability and as much of the input as fits.
  public func line(_ label: String, _ probability: Double, _ input: TextInput) -> String {
    let start = "\(label)  \(percent(probability))  "
    return start + shortened(shown(input), after: width(of: start))
  }

  /// ` 84 %`
  public func percent(_ share: Double) -> String {
    let number = String(Int((share * 100).rounded()))
    return String(repeating: " ", count: max(0, 3 - number.count)) + number + " %"
  }

  /// An input on a line.
  public func shown(_ input: TextInput) -> String {
    switch input {
    case .text(let text, let pair): escaped(pair.map { "\(text) | \($0)" } ?? text)
    case .choices(let text, _): escaped(text)
    case .words(let words): escaped(words.joined(separator: " "))
    }
  }

  /// As much of a text as fits after this many columns, twenty at least.
  public func shortened(_ text: String, after used: Int) -> String {
    width.map { text.shortened(toColumns: max(20, $0 - used)) } ?? text
  }

  /// A text with spaces after it, up to a width in columns; longer ones stay as they are.
  public func padded(_ text: String, to width: Int) -> String { text.padded(toColumns: width) }

  /// A text without spaces at its end.
  public func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }
}
