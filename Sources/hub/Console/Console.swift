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
  static func put(_ text: String) throws { try put(bytes: Array((text + "\n").utf8)) }

  /// Writes data that is not text.
  static func put(bytes: [UInt8]) throws {
    Progress.shared.clear()
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(bytes))
    } catch {
      throw Failure(.unwritableOutput, "cannot write to standard output")
    }
  }

  /// Writes a document of the given schema, such as `hub.list/1`.
  static func put(json members: JSON.Members, schema: String) throws {
    try put(escapedJSON(JSON.object(members.with(["schema": .string(schema)])).text(indent: 2)))
  }

  /// Says something to the person at the keyboard.
  static func say(_ text: String) {
    Progress.shared.clear()
    // Nobody is left to tell if even this fails.
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  static func report(_ failure: Failure) { report(failure.message, at: failure.subject, hint: failure.hint) }

  static func report(_ message: String, at subject: String? = nil, hint: String?) {
    var lines = ["hub: error: " + Failure.shortened(escaped(message), to: limit)]
    if let subject { lines.append("  at: " + aligned(subject)) }
    if let hint { lines.append("  hint: " + aligned(hint)) }
    say(lines.joined(separator: "\n"))
  }

  /// Further lines stand below the first one.
  private static func aligned(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).prefix(8).map {
      Failure.shortened(escaped(String($0)), to: limit)
    }.joined(separator: "\n      ")
  }

  /// Characters of a line of a message.
  private static let limit = 560

  /// Text that came from a file, made harmless for a terminal: nothing that moves the cursor, hides or turns around.
  /// The joiners of Indic, Arabic and Persian words are letters to their readers, and do none of it.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .format where scalar == "\u{200C}" || scalar == "\u{200D}": result.unicodeScalars.append(scalar)
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The same for JSON, which has escapes of its own: they change nothing for who reads it.
  static func escapedJSON(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      let category = scalar.properties.generalCategory
      guard scalar.value >= 0x80, category == .control || (isTerminal && category == .format), scalar.value <= 0xFFFF
      else {
        result.unicodeScalars.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    return result
  }
}
