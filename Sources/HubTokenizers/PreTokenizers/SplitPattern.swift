import HubWords

/// The regular expressions that tokenizers cut text by: alternatives of characters, classes and repetitions, with a
/// look ahead of one character, such as GPT-2's, LLaMA 3's and Qwen2's. Of the alternatives the first that matches
/// counts, and a repetition takes as much as it can, as in Oniguruma. Everything else is refused.
struct SplitPattern: Sendable {
  /// A set of characters.
  struct Class: Sendable {
    var parts: [Part] = []
    var isNegated = false

    enum Part: Sendable {
      case range(ClosedRange<UInt32>)
      case space, notSpace
      case word, digit
      case categories(Set<String>, isNegated: Bool)
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
      parts.contains { part in
        switch part {
        case .range(let range): range.contains(scalar.value)
        case .space: scalar.isSpace
        case .notSpace: !scalar.isSpace
        case .word: scalar.isWordCharacter
        case .digit: scalar.properties.generalCategory == .decimalNumber
        case .categories(let names, let isNegated): names.contains(scalar.categoryName) != isNegated
        }
      } != isNegated
    }
  }

  /// A part of an alternative.
  indirect enum Item: Sendable {
    case repeated(Class, least: Int, most: Int, isPossessive: Bool)
    case group([[Item]], isOptional: Bool)
    case notAhead(Class)
    case atEnd
  }

  private let alternatives: [[Item]]

  /// - Throws: ``Failure`` with ``Failure/Code/unsupportedTokenizer`` for what is not of this kind
  init(_ expression: String) throws {
    var parser = SplitPatternParser(expression)
    alternatives = try parser.parse()
  }

  /// Where the match that begins at `start` ends; `nil` if there is none, or it is empty.
  func end(ofMatchAt start: Int, in bytes: [UInt8]) -> Int? {
    Self.match(alternatives, bytes, start) { $0 }.flatMap { $0 > start ? $0 : nil }
  }

  private static func match(
    _ alternatives: [[Item]], _ bytes: [UInt8], _ start: Int, then: (Int) -> Int?
  ) -> Int? {
    for items in alternatives {
      if let end = match(items[...], bytes, start, then: then) { return end }
    }
    return nil
  }

  private static func match(_ items: ArraySlice<Item>, _ bytes: [UInt8], _ start: Int, then: (Int) -> Int?) -> Int? {
    guard let item = items.first else { return then(start) }
    let rest = items.dropFirst()
    switch item {
    case .notAhead(let characters):
      if start < bytes.count, characters.contains(bytes.scalar(at: start).scalar) { return nil }
      return match(rest, bytes, start, then: then)
    case .atEnd:
      return start == bytes.count ? match(rest, bytes, start, then: then) : nil
    case .group(let alternatives, let isOptional):
      let end = match(alternatives, bytes, start) { match(rest, bytes, $0, then: then) }
      return end ?? (isOptional ? match(rest, bytes, start, then: then) : nil)
    case .repeated(let characters, let least, let most, let isPossessive):
      var (end, count) = (start, 0)
      while end < bytes.count, count < most {
        let next = bytes.scalar(at: end)
        guard characters.contains(next.scalar) else { break }
        (end, count) = (next.end, count + 1)
      }
      while count >= least {
        if let match = match(rest, bytes, end, then: then) { return match }
        guard count > least, !isPossessive else { return nil }
        (end, count) = (bytes.scalarStart(before: end), count - 1)
      }
      return nil
    }
  }
}

extension Unicode.Scalar {
  /// The two letters of the general category.
  fileprivate var categoryName: String {
    switch properties.generalCategory {
    case .uppercaseLetter: "Lu"
    case .lowercaseLetter: "Ll"
    case .titlecaseLetter: "Lt"
    case .modifierLetter: "Lm"
    case .otherLetter: "Lo"
    case .nonspacingMark: "Mn"
    case .spacingMark: "Mc"
    case .enclosingMark: "Me"
    case .decimalNumber: "Nd"
    case .letterNumber: "Nl"
    case .otherNumber: "No"
    case .connectorPunctuation: "Pc"
    case .dashPunctuation: "Pd"
    case .openPunctuation: "Ps"
    case .closePunctuation: "Pe"
    case .initialPunctuation: "Pi"
    case .finalPunctuation: "Pf"
    case .otherPunctuation: "Po"
    case .mathSymbol: "Sm"
    case .currencySymbol: "Sc"
    case .modifierSymbol: "Sk"
    case .otherSymbol: "So"
    case .spaceSeparator: "Zs"
    case .lineSeparator: "Zl"
    case .paragraphSeparator: "Zp"
    case .control: "Cc"
    case .format: "Cf"
    case .surrogate: "Cs"
    case .privateUse: "Co"
    case .unassigned: "Cn"
    @unknown default: "Cn"
    }
  }
}
