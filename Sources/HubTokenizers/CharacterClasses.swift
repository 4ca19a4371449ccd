/// The character classes of the Rust crates that Hugging Face's BERT tokenizers ask: categories of Unicode 8 and
/// combining classes of Unicode 9. Younger characters count as unassigned, and a vocabulary sees the same words
/// whatever Unicode this machine knows.
extension Unicode.Scalar {
  /// Control, format and private-use characters, but tab and line ends; NUL and U+FFFD: what cleaning drops.
  var isDroppedByCleaning: Bool {
    switch value {
    case 0x09, 0x0A, 0x0D: return false
    case 0..<0x20, 0x7F..<0xA0, 0xAD, 0xFFFD: return true
    case ..<0x0300, 0x3400..<0xA000, 0xAC00..<0xD800: return false
    default:
      let category = properties.generalCategory
      return category == .privateUse || category == .format && isInUnicode(8)
    }
  }

  /// White space, listed since it is asked for each character.
  var isSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Every ASCII character that is not a letter, digit, control or space, and what Unicode calls punctuation.
  var isBertPunctuation: Bool {
    switch value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
    case ..<0xA0, 0xC0..<0x037E, 0x3400..<0xA000, 0xAC00..<0xD800: return false
    case 0x166D, 0x111C9: return true
    default: break
    }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return isInUnicode(8)
    default: return false
    }
  }

  /// Non-spacing marks: the accents that accent stripping strips.
  var isAccent: Bool {
    switch value {
    case ..<0x0300, 0x3400..<0xA000, 0xAC00..<0xD800: return false
    case 0x0300..<0x0370, 0x1734, 0x1171E: return true
    case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
    default: return properties.generalCategory == .nonspacingMark && isInUnicode(8)
    }
  }

  /// Marks of every kind: what Unicode puts above, below, around or beside a character.
  var isCombiningMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: isInUnicode(9)
    default: false
    }
  }

  /// The ideographs that stand as words of their own. The gaps between the ranges are BERT's.
  var isIdeograph: Bool {
    switch value {
    case ..<0x3400: false
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF,
      0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  /// The canonical combining class.
  var combiningClass: UInt8 {
    guard value >= 0x0300, !(0x3400..<0xA000).contains(value) else { return 0 }
    let order = properties.canonicalCombiningClass.rawValue
    return order != 0 && isInUnicode(9) ? order : 0
  }

  /// `\w` as regular expressions define it over Unicode: what an added token that stands alone may not touch.
  var isWordCharacter: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    default: properties.isAlphabetic || properties.isJoinControl
    }
  }

  private func isInUnicode(_ version: Int) -> Bool {
    guard let age = properties.age else { return false }
    return age <= (version, 0)
  }
}
