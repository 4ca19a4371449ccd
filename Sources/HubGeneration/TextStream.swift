public import HubTokenizers

/// Makes text of tokens as they come, and hands out only what further tokens cannot change: never a part of a
/// character, nor the beginning of a text that stops. All pieces together are what
/// ``Tokenizer/decode(_:skippingSpecialTokens:)`` makes of all tokens.
public struct TextStream: Sendable {
  private let tokenizer: any Tokenizer
  private let stopStrings: [[Unicode.Scalar]]
  /// A token whose text is out already, then those whose text is not.
  private var pending: [Int32] = []
  /// How much of the text of `pending` is out already.
  private var written = 0
  private var held: [Unicode.Scalar] = []

  /// Whether a text that stops has appeared: nothing comes after it.
  public private(set) var hasStopped = false

  public init(_ tokenizer: any Tokenizer, stopStrings: [String] = []) {
    self.tokenizer = tokenizer
    self.stopStrings = stopStrings.map { Array($0.unicodeScalars) }
  }

  /// - Returns: the text that is certain now, often none
  public mutating func append(_ token: Int32) -> String {
    // Special tokens have no text, and would only make the first one look like a later one.
    guard !hasStopped, !tokenizer.decode([token]).isEmpty || !tokenizer.bytes(of: token, isFirst: false).isEmpty else {
      return ""
    }
    pending.append(token)
    let text = Array(tokenizer.decode(pending).unicodeScalars)
    guard text.count > written, text.last != "\u{FFFD}", !isByte(token) else { return "" }
    let new = Array(text[written...])
    pending = [token]
    written = tokenizer.decode(pending).unicodeScalars.count
    return release(new, isLast: false)
  }

  /// The rest, when no token follows.
  public mutating func finish() -> String {
    let text = pending.isEmpty ? [] : Array(tokenizer.decode(pending).unicodeScalars)
    let new = text.count > written ? Array(text[written...]) : []
    pending = []
    written = 0
    return hasStopped ? "" : release(new, isLast: true)
  }

  /// Whether a token such as `<0xE4>` stands for a byte: what it becomes depends on the bytes after it.
  private func isByte(_ token: Int32) -> Bool {
    tokenizer.token(token).map { $0.utf8.count == 6 && $0.hasPrefix("<0x") && $0.hasSuffix(">") } ?? false
  }

  /// Adds text, cuts it at the first text that stops, and holds back what may be the beginning of one.
  private mutating func release(_ new: [Unicode.Scalar], isLast: Bool) -> String {
    held += new
    let stops = stopStrings.compactMap { stop in held.firstIndex(of: stop) }
    if let first = stops.min() {
      hasStopped = true
      return take(first)
    }
    return take(isLast ? held.count : held.count - longestBeginning())
  }

  private mutating func take(_ count: Int) -> String {
    let text = String(String.UnicodeScalarView(held.prefix(count)))
    held.removeFirst(count)
    return text
  }

  private func longestBeginning() -> Int {
    stopStrings.map { stop in
      (1...max(1, min(stop.count, held.count))).last {
        held.count >= $0 && held.suffix($0).elementsEqual(stop.prefix($0))
      } ?? 0
    }.max() ?? 0
  }
}

extension [Unicode.Scalar] {
  /// Where another text stands first.
  fileprivate func firstIndex(of other: [Unicode.Scalar]) -> Int? {
    guard count >= other.count else { return nil }
    return (0...count - other.count).first { self[$0..<$0 + other.count].elementsEqual(other) }
  }
}
