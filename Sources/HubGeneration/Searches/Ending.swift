import HubTokenizers

/// Why a text ended.
public enum FinishReason: String, Hashable, Sendable {
  /// One of the end tokens, or one of the texts that stop it.
  case stop
  /// The maximal length.
  case length
}

/// What ends a text.
struct Ending: Sendable {
  let endTokens: Set<Int32>
  let limit: Int
  private let stopStrings: [[UInt8]]
  private let tokenizer: (any Tokenizer)?

  init(_ options: GenerationOptions, promptCount: Int, tokenizer: (any Tokenizer)?) {
    endTokens = Set(options.endTokens)
    limit = options.limit(afterPrompt: promptCount)
    stopStrings = options.stopStrings.map { Array($0.utf8) }
    self.tokenizer = tokenizer
  }

  /// Why a text ends with its last token; `nil` if it goes on.
  func reason(_ text: WrittenText) -> FinishReason? {
    guard let last = text.newTokens.last else { return nil }
    if endTokens.contains(last) || endsWithStopString(text.newTokens) { return .stop }
    return text.tokens.count >= limit ? .length : nil
  }

  /// Whether a text that stops stands in what was written and reaches into the last token.
  private func endsWithStopString(_ tokens: ArraySlice<Int32>) -> Bool {
    guard let tokenizer, let longest = stopStrings.map(\.count).max() else { return false }
    var pieces: [[UInt8]] = [], count = 0
    for index in tokens.indices.reversed() {
      let bytes = tokenizer.bytes(of: tokens[index], isFirst: index == tokens.startIndex)
      pieces.append(bytes)
      count += pieces.count > 1 ? bytes.count : 0
      if count >= longest - 1 { break }
    }
    let before = pieces.dropFirst().reduce(0) { $0 + $1.count }, tail = pieces.reversed().flatMap(\.self)
    return stopStrings.contains { stop in
      guard tail.count >= stop.count else { return false }
      return (0...tail.count - stop.count).contains { start in
        start + stop.count > before && tail[start..<start + stop.count].elementsEqual(stop)
      }
    }
  }
}
