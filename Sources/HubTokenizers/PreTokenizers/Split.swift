import HubWords

/// Cuts text where a pattern matches.
struct Split: PreTokenizer {
  /// What becomes of what matches.
  enum Behavior: String {
    case isolated = "Isolated"
    case removed = "Removed"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  /// What is looked for.
  enum Search: Sendable {
    case text([UInt8])
    case pattern(SplitPattern)
    /// Numbers, one by one or as they stand together.
    case digits(together: Bool)
    case punctuation
  }

  let search: Search
  let behavior: Behavior
  /// Whether what does not match is what the behaviour is about.
  var isInverted = false

  func split(_ text: inout AlignedText) -> [Range<Int>] {
    let pieces = pieces(text.bytes).map { (range: $0.range, isMatch: $0.isMatch != isInverted) }
    var words: [Range<Int>] = [], wasMatch = false
    for (index, piece) in pieces.enumerated() {
      let joinsLast =
        switch behavior {
        case .isolated, .removed: false
        case .mergedWithPrevious: piece.isMatch && !wasMatch && index > 0
        case .mergedWithNext: wasMatch && !piece.isMatch
        case .contiguous: piece.isMatch == wasMatch && index > 0
        }
      wasMatch = piece.isMatch
      if behavior == .removed, piece.isMatch { continue }
      if joinsLast, let last = words.last {
        words[words.count - 1] = last.lowerBound..<piece.range.upperBound
      } else {
        words.append(piece.range)
      }
    }
    return words
  }

  /// What matches and what stands between, in order, none empty.
  private func pieces(_ bytes: [UInt8]) -> [(range: Range<Int>, isMatch: Bool)] {
    var pieces: [(range: Range<Int>, isMatch: Bool)] = []
    var (start, index) = (0, 0)
    while index < bytes.count {
      guard let end = end(ofMatchAt: index, bytes) else {
        index = bytes.scalar(at: index).end
        continue
      }
      if start < index { pieces.append((start..<index, false)) }
      pieces.append((index..<end, true))
      (start, index) = (end, end)
    }
    if start < bytes.count { pieces.append((start..<bytes.count, false)) }
    return pieces
  }

  private func end(ofMatchAt start: Int, _ bytes: [UInt8]) -> Int? {
    switch search {
    case .text(let text): return bytes[start...].starts(with: text) ? start + text.count : nil
    case .pattern(let pattern): return pattern.end(ofMatchAt: start, in: bytes)
    case .punctuation:
      let (scalar, end) = bytes.scalar(at: start)
      return scalar.isBertPunctuation ? end : nil
    case .digits(let together):
      var end = start
      while end < bytes.count, together || end == start, case let next = bytes.scalar(at: end), next.scalar.isNumber {
        end = next.end
      }
      return end > start ? end : nil
    }
  }
}

extension Unicode.Scalar {
  /// Whether its general category is one of numbers.
  fileprivate var isNumber: Bool {
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: true
    default: false
    }
  }
}

extension Split {
  /// Reads `{"type": "Split", …}` of tokenizer.json.
  init(_ json: JSONObject) throws {
    let pattern = try json.object("pattern")
    if let text = try pattern.optionalString("String") {
      guard !text.isEmpty, text.utf8.count <= InputLimits.replacementBytes else {
        throw TokenizerFile.unsupported("text to split at", text, in: pattern)
      }
      search = .text(Array(text.utf8))
    } else {
      search = .pattern(try locating(pattern.path(to: "Regex")) { try SplitPattern(pattern.string("Regex")) })
    }
    behavior = try Self.behavior(json)
    isInverted = try json.optionalBool("invert") ?? false
  }

  /// Reads `{"type": "Digits", …}`.
  static func digits(_ json: JSONObject) throws -> Split {
    let together = try json.optionalBool("individual_digits") != true
    return Split(search: .digits(together: together), behavior: .isolated)
  }

  /// Reads `{"type": "Punctuation", …}`.
  static func punctuation(_ json: JSONObject) throws -> Split {
    Split(search: .punctuation, behavior: try json.members["behavior"] == nil ? .isolated : behavior(json))
  }

  private static func behavior(_ json: JSONObject) throws -> Behavior {
    let name = try json.string("behavior")
    guard let behavior = Behavior(rawValue: name) else { throw TokenizerFile.unsupported("behaviour", name, in: json) }
    return behavior
  }
}
