import HubWords

/// Reads a ``SplitPattern``.
struct SplitPatternParser {
  private let scalars: [Unicode.Scalar]
  private var place = 0
  private var depth = 0
  private var ignoresCase = false

  init(_ expression: String) { scalars = Array(expression.unicodeScalars) }

  private var unsupported: Failure {
    let text = String(String.UnicodeScalarView(scalars))
    return Failure(
      .unsupportedTokenizer, "the regular expression is not supported", at: "character \(place + 1) of \(text)")
  }

  private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

  private mutating func take(_ text: String) -> Bool {
    let text = Array(text.unicodeScalars)
    guard scalars[place...].starts(with: text) else { return false }
    place += text.count
    return true
  }

  mutating func parse() throws -> [[SplitPattern.Item]] {
    guard scalars.count <= 4096 else { throw unsupported }
    let result = try alternatives()
    guard next == nil else { throw unsupported }
    return result
  }

  private mutating func alternatives() throws -> [[SplitPattern.Item]] {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 8 else { throw unsupported }
    var result = [try items()]
    while take("|") { result.append(try items()) }
    return result
  }

  private mutating func items() throws -> [SplitPattern.Item] {
    var items: [SplitPattern.Item] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if take("(?!") {
        items.append(.notAhead(try characters()))
        guard take(")") else { throw unsupported }
      } else if take("$") {
        items.append(.atEnd)
      } else if scalar == "(" {
        items.append(try group())
      } else {
        items.append(try repeated(try characters()))
      }
    }
    return items
  }

  private mutating func group() throws -> SplitPattern.Item {
    let before = ignoresCase
    if take("(?i:") { ignoresCase = true } else if !take("(?:"), !take("(") || next == "?" { throw unsupported }
    let result = try alternatives()
    ignoresCase = before
    guard take(")") else { throw unsupported }
    let isOptional = take("?")
    guard next != "*", next != "+", next != "?", next != "{" else { throw unsupported }
    return .group(result, isOptional: isOptional)
  }

  private mutating func repeated(_ characters: SplitPattern.Class) throws -> SplitPattern.Item {
    var (least, most) = (1, 1)
    if take("*") {
      (least, most) = (0, .max)
    } else if take("+") {
      (least, most) = (1, .max)
    } else if take("?") {
      (least, most) = (0, 1)
    } else if take("{") {
      guard let low = number() else { throw unsupported }
      least = low
      most = take(",") ? number() ?? .max : low
      guard take("}"), least <= most else { throw unsupported }
    } else {
      return .repeated(characters, least: 1, most: 1, isPossessive: false)
    }
    let isPossessive = take("+")
    guard next != "?", next != "*" else { throw unsupported }
    return .repeated(characters, least: least, most: most, isPossessive: isPossessive)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let scalar = next, ("0"..."9").contains(scalar), digits.count < 4 {
      digits.unicodeScalars.append(scalar)
      place += 1
    }
    return Int(digits)
  }

  /// One character, or a class.
  private mutating func characters() throws -> SplitPattern.Class {
    guard let scalar = next else { throw unsupported }
    if take("[") { return try bracketed() }
    if take(".") {
      return SplitPattern.Class(parts: [.range(0x0A...0x0A)], isNegated: true)
    }
    guard !"*+?{}^".unicodeScalars.contains(scalar) else { throw unsupported }
    return SplitPattern.Class(parts: try member())
  }

  private mutating func bracketed() throws -> SplitPattern.Class {
    var result = SplitPattern.Class()
    result.isNegated = take("^")
    while !take("]") {
      let first = try member()
      guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
        result.parts += first
        continue
      }
      place += 1
      let last = try member()
      guard case .range(let low)? = first.first, case .range(let high)? = last.first, low.lowerBound <= high.lowerBound
      else { throw unsupported }
      result.parts.append(.range(low.lowerBound...high.lowerBound))
    }
    return result
  }

  private mutating func member() throws -> [SplitPattern.Class.Part] {
    guard let scalar = next, scalar != "[" else { throw unsupported }
    place += 1
    guard scalar == "\\" else { return cases(of: scalar) }
    guard let escaped = next else { throw unsupported }
    place += 1
    switch escaped {
    case "s": return [.space]
    case "S": return [.notSpace]
    case "w": return [.word]
    case "d": return [.digit]
    case "n": return [.range(0x0A...0x0A)]
    case "r": return [.range(0x0D...0x0D)]
    case "t": return [.range(0x09...0x09)]
    case "p", "P": return [try property(isNegated: escaped == "P")]
    case "a"..."z", "A"..."Z", "0"..."9": throw unsupported
    default: return cases(of: escaped)
    }
  }

  /// A character, in both cases where case does not count. `ſ` is an s then.
  private func cases(of scalar: Unicode.Scalar) -> [SplitPattern.Class.Part] {
    guard ignoresCase else { return [.range(scalar.value...scalar.value)] }
    let mappings = [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
    var values = mappings.compactMap { $0.unicodeScalars.count == 1 ? $0.unicodeScalars.first?.value : nil }
    if scalar == "s" || scalar == "S" { values.append(0x17F) }
    if scalar == "k" || scalar == "K" { values.append(0x212A) }
    return values.map { .range($0...$0) }
  }

  private static let categories: [String: Set<String>] = [
    "L": ["Lu", "Ll", "Lt", "Lm", "Lo"], "M": ["Mn", "Mc", "Me"], "N": ["Nd", "Nl", "No"],
    "P": ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"], "S": ["Sm", "Sc", "Sk", "So"], "Z": ["Zs", "Zl", "Zp"],
    "C": ["Cc", "Cf", "Cs", "Co", "Cn"],
  ]

  private mutating func property(isNegated: Bool) throws -> SplitPattern.Class.Part {
    var name = ""
    if take("{") {
      while let scalar = next, scalar != "}" {
        name.unicodeScalars.append(scalar)
        place += 1
      }
      guard take("}") else { throw unsupported }
    } else if let scalar = next {
      name.unicodeScalars.append(scalar)
      place += 1
    }
    if let names = Self.categories[name] { return .categories(names, isNegated: isNegated) }
    guard Self.categories.values.contains(where: { $0.contains(name) }) else { throw unsupported }
    return .categories([name], isNegated: isNegated)
  }
}
