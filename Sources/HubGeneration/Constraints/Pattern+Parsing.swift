public import HubWords

extension Failure.Code {
  /// A regular expression or schema is wrong, or uses what we do not have.
  public static let malformedConstraint = Self("constraint/malformed", .usage)
  /// No text fulfils a constraint, or it is too large.
  public static let impossibleConstraint = Self("constraint/impossible", .usage)
}

extension Pattern {
  /// The most times that something may be repeated by count.
  static let maximalCount = 1000

  /// Reads a regular expression that the whole text must match: characters, classes, groups, alternatives and
  /// repetitions, as ECMAScript writes them. `\d`, `\w` and `\s` are ASCII's. Look-arounds and back-references are
  /// refused.
  init(parsing expression: String) throws {
    var parser = PatternParser(expression)
    self = try parser.parse()
  }
}

/// A recursive descent through a regular expression.
private struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var place = 0
  private var depth = 0

  init(_ expression: String) { scalars = Array(expression.unicodeScalars) }

  private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

  private func failure(_ message: String) -> Failure {
    let text = String(String.UnicodeScalarView(scalars))
    return Failure(.malformedConstraint, "the regular expression \(message)", at: "character \(place + 1) of \(text)")
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    place += 1
    return true
  }

  mutating func parse() throws -> Pattern {
    guard scalars.count <= 16_384 else { throw failure("is longer than 16384 characters") }
    let pattern = try alternatives()
    guard next == nil else { throw failure("has one closing bracket too many") }
    return pattern
  }

  private mutating func alternatives() throws -> Pattern {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw failure("has more than 64 levels") }
    var alternatives = [try sequence()]
    while take("|") { alternatives.append(try sequence()) }
    return alternatives.count == 1 ? alternatives[0] : .any(of: alternatives)
  }

  private mutating func sequence() throws -> Pattern {
    var parts: [Pattern] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      // The whole text is matched: an anchor at its end says nothing.
      if scalar == "^", depth == 1, parts.isEmpty {
        place += 1
        continue
      }
      if scalar == "$", depth == 1, place + 1 == scalars.count || scalars[place + 1] == "|" {
        place += 1
        continue
      }
      parts.append(try repeated(try atom()))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repeated(_ pattern: Pattern) throws -> Pattern {
    let result: Pattern
    switch next {
    case "*": result = .repeated(pattern, least: 0, most: nil)
    case "+": result = .repeated(pattern, least: 1, most: nil)
    case "?": result = .optional(pattern)
    case "{": return try counted(pattern)
    default: return pattern
    }
    place += 1
    return try withoutSuffix(result)
  }

  /// A lazy repetition matches the same whole texts.
  private mutating func withoutSuffix(_ pattern: Pattern) throws -> Pattern {
    _ = take("?")
    guard next != "*", next != "+", next != "?", next != "{" else { throw failure("repeats a repetition") }
    return pattern
  }

  private mutating func counted(_ pattern: Pattern) throws -> Pattern {
    place += 1
    let least = try count() ?? 0
    var most: Int? = least
    if take(",") { most = try count() }
    guard take("}") else { throw failure("has a count without its closing brace") }
    guard most.map({ $0 >= least }) ?? true else { throw failure("has a count that ends before it begins") }
    return try withoutSuffix(.repeated(pattern, least: least, most: most))
  }

  private mutating func count() throws -> Int? {
    var digits = ""
    while let scalar = next, ("0"..."9").contains(scalar) {
      digits.unicodeScalars.append(scalar)
      place += 1
    }
    guard !digits.isEmpty else { return nil }
    guard let count = Int(digits), count <= Pattern.maximalCount else {
      throw failure("counts more than \(Pattern.maximalCount)")
    }
    return count
  }

  private mutating func atom() throws -> Pattern {
    guard let scalar = next else { throw failure("ends too early") }
    place += 1
    switch scalar {
    case "(": return try group()
    case "[": return .scalars(try characterClass())
    case ".": return .scalars(Pattern.complement([0x0A...0x0A, 0x0D...0x0D]))
    case "\\": return .scalars(try escaped())
    case "*", "+", "?", "{": throw failure("repeats nothing")
    case "^", "$": throw failure("has an anchor inside, which is not supported")
    default: return .scalars([scalar.value...scalar.value])
    }
  }

  private mutating func group() throws -> Pattern {
    if take("?") {
      guard take(":") else { throw failure("has a group of a kind that is not supported") }
    }
    let pattern = try alternatives()
    guard take(")") else { throw failure("has a group without its closing bracket") }
    return pattern
  }

  private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
  private static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
  private static let space: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]

  private mutating func escaped() throws -> [ClosedRange<UInt32>] {
    guard let scalar = next else { throw failure("ends in a backslash") }
    place += 1
    switch scalar {
    case "d": return Self.digits
    case "D": return Pattern.complement(Self.digits)
    case "w": return Self.word
    case "W": return Pattern.complement(Self.word)
    case "s": return Self.space
    case "S": return Pattern.complement(Self.space)
    case "n": return [0x0A...0x0A]
    case "r": return [0x0D...0x0D]
    case "t": return [0x09...0x09]
    case "f": return [0x0C...0x0C]
    case "v": return [0x0B...0x0B]
    case "x": return try hexadecimal(2)
    case "u": return try hexadecimal(4)
    case "0"..."9", "a"..."z", "A"..."Z": throw failure("has the escape \\\(scalar), which is not supported")
    default: return [scalar.value...scalar.value]
    }
  }

  private mutating func hexadecimal(_ count: Int) throws -> [ClosedRange<UInt32>] {
    let digits = String(String.UnicodeScalarView(scalars[place..<min(place + count, scalars.count)]))
    guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: 16), Unicode.Scalar(value) != nil,
      !digits.hasPrefix("+")
    else { throw failure("has an escape without its \(count) digits") }
    place += count
    return [value...value]
  }

  private mutating func characterClass() throws -> [ClosedRange<UInt32>] {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while !take("]") {
      guard next != nil else { throw failure("has a class without its closing bracket") }
      let first = try member()
      guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
        ranges += first
        continue
      }
      place += 1
      let last = try member()
      guard let low = first.single, let high = last.single, low <= high else {
        throw failure("has a range that ends before it begins")
      }
      // A range over the surrogates, which are no characters, is what stands on both sides.
      ranges += Pattern.subtract([0xD800...0xDFFF], from: [low...high])
    }
    return isNegated ? Pattern.complement(ranges) : ranges
  }

  private mutating func member() throws -> [ClosedRange<UInt32>] {
    guard let scalar = next else { throw failure("has a class without its closing bracket") }
    place += 1
    return scalar == "\\" ? try escaped() : [scalar.value...scalar.value]
  }
}

extension [ClosedRange<UInt32>] {
  /// The only scalar, if there is one.
  fileprivate var single: UInt32? { count == 1 && self[0].count == 1 ? self[0].lowerBound : nil }
}
