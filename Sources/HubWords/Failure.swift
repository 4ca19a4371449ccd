/// What went wrong, where, and what to do about it: the shape of every error that Dovetail throws.
///
/// Each module names its own codes in an extension of ``Failure/Code``, next to the code that throws them:
///
/// ```swift
/// extension Failure.Code {
///   public static let truncatedTensors = Self("safetensors/truncated", .badData)
/// }
/// ```
public struct Failure: Error, Hashable, Sendable {
  /// A stable name for one way to fail, and the family it belongs to.
  public struct Code: Hashable, Sendable {
    /// `area/what`, in lower case: the same in `--json` output, in the files under `Formats/` and in tests.
    public let name: String
    /// The family, which decides the exit status.
    public let category: Category

    public init(_ name: String, _ category: Category) {
      self.name = name
      self.category = category
    }
  }

  /// Families of failures. The command line turns each into one exit status.
  public enum Category: Sendable, CaseIterable {
    /// The request itself makes no sense.
    case usage
    /// A file, an archive or a tensor is not what it claims to be.
    case badData
    /// No such adapter, model or file.
    case notFound
    /// Something cannot be created.
    case cannotCreate
    /// Reading or writing failed.
    case inputOutput
    /// Another process is in the way; try again.
    case busy
    /// A file that says what to do makes no sense.
    case configuration
    /// Understood, and declined: a path outside the root, an adapter for another base.
    case refused
  }

  /// What went wrong, for programs.
  public let code: Code
  /// One sentence, lower case, no full stop: what is wrong.
  public let message: String
  /// Where: a path, an entry of an archive, a tensor, a key.
  public var subject: String?
  /// What to do about it, often a command.
  public var hint: String?

  /// What files hold may be of any length: all three are kept short.
  public init(_ code: Code, _ message: String, at subject: String? = nil, hint: String? = nil) {
    self.code = code
    self.message = Self.shortened(message)
    self.subject = subject.map { Self.shortened($0) }
    self.hint = hint.map { Self.shortened($0) }
  }

  /// The beginning and the end of a long text.
  public static func shortened(_ text: String, to limit: Int = 480) -> String {
    guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return text }
    let scalars = text.unicodeScalars
    return String(scalars.prefix(limit * 2 / 3)) + " … " + String(scalars.suffix(limit / 3 - 3))
  }

  /// A text with a caret below one of its places; of a long one, what is around it.
  static func pointing(_ text: [Character], at place: Int) -> String {
    let first = max(0, place - 120), part = text[first..<max(first, min(text.count, place + 120))]
    let before = (first > 0 ? "…" : "") + String(text[first..<min(max(first, place), text.count)])
    let line = (first > 0 ? "…" : "") + String(part) + (part.endIndex < text.count ? "…" : "")
    return "\(line)\n\(String(repeating: " ", count: before.columns + max(0, place - text.count)))^"
  }

  /// The same failure, seen from a level up: `path` is put before the subject.
  public func within(_ path: String) -> Failure {
    var copy = self
    copy.subject = Self.shortened(subject.map { "\(path): \($0)" } ?? path)
    return copy
  }
}

extension Failure: CustomStringConvertible {
  public var description: String {
    var text = message
    if let subject { text += "\n  at: " + Self.aligned(subject) }
    if let hint { text += "\n  hint: " + Self.aligned(hint) }
    return text
  }

  /// Further lines stand below the first one.
  private static func aligned(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n      ")
  }
}

/// Runs `body`; a ``Failure`` that leaves it says that it happened within `path`.
public func locating<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let failure as Failure {
    throw failure.within(path)
  }
}
