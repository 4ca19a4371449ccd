import Foundation
import HubWords

extension Failure.Code {
  /// Standard output cannot be written to.
  static let unwritableOutput = Self("hub/output", .inputOutput)
}

/// Data to standard output, talk to standard error.
enum Console {
  /// Whether a person reads standard output.
  static let isTerminal = isatty(STDOUT_FILENO) == 1

  /// Columns of the terminal; `nil` where nothing needs to fit.
  static var width: Int? {
    guard isTerminal else { return nil }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes a line, or lines, of data.
  static func put(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    } catch {
      throw Failure(.unwritableOutput, "cannot write to standard output")
    }
  }

  /// Writes a document of the given schema, such as `hub.list/1`.
  static func put(json members: JSON.Members, schema: String) throws {
    try put(JSON.object(members.with(["schema": .string(schema)])).text(indent: 2))
  }

  /// Says something to the person at the keyboard.
  static func say(_ text: String) {
    // Nobody is left to tell if even this fails.
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  static func report(_ failure: Failure) { report(failure.message, at: failure.subject, hint: failure.hint) }

  static func report(_ message: String, at subject: String? = nil, hint: String?) {
    var lines = ["hub: error: " + escaped(message)]
    if let subject { lines.append("  at: " + aligned(subject)) }
    if let hint { lines.append("  hint: " + aligned(hint)) }
    say(lines.joined(separator: "\n"))
  }

  /// Further lines stand below the first one.
  private static func aligned(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }.joined(
      separator: "\n      ")
  }

  /// Text that came from a file, made harmless for a terminal: nothing that moves the cursor, hides or turns around.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
