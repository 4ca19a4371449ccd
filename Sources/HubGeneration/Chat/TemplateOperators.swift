import Foundation

extension TemplateRun {
  /// What an operator makes of two values, as in Python.
  static func combined(_ symbol: String, _ first: TemplateValue, _ second: TemplateValue) throws -> TemplateValue {
    switch symbol {
    case "==": return .bool(first == second)
    case "!=": return .bool(first != second)
    case "<", ">", "<=", ">=": return .bool(try isOrdered(symbol, first, second))
    case "in": return .bool(try contains(second, first))
    case "not in": return .bool(try !contains(second, first))
    case "~": return .string(first.text + second.text)
    case "+":
      if case .string(let first) = first, case .string(let second) = second { return .string(first + second) }
      if case .list(let first) = first, case .list(let second) = second { return .list(first + second) }
    default: break
    }
    return try arithmetic(symbol, first, second)
  }

  private static func arithmetic(
    _ symbol: String, _ first: TemplateValue, _ second: TemplateValue
  ) throws -> TemplateValue {
    guard let left = first.number, let right = second.number else {
      throw failure("\(first.kind) and \(second.kind) cannot be joined with \(symbol)")
    }
    guard !["/", "//", "%"].contains(symbol) || right != 0 else { throw failure("a division by zero") }
    if let left = first.integer, let right = second.integer, symbol != "/" {
      let result: (partialValue: Int, overflow: Bool) =
        switch symbol {
        case "+": left.addingReportingOverflow(right)
        case "-": left.subtractingReportingOverflow(right)
        case "*": left.multipliedReportingOverflow(by: right)
        case "//": (floored(left, right), left == .min && right == -1)
        default: (remainder(left, right), false)
        }
      guard !result.overflow else { throw failure("an integer is too large") }
      return .integer(result.partialValue)
    }
    switch symbol {
    case "+": return .number(left + right)
    case "-": return .number(left - right)
    case "*": return .number(left * right)
    case "/": return .number(left / right)
    case "//": return .number((left / right).rounded(.down))
    default: return .number(left - (left / right).rounded(.down) * right)
    }
  }

  private static func floored(_ left: Int, _ right: Int) -> Int {
    let (quotient, overflow) = left.dividedReportingOverflow(by: right)
    guard !overflow else { return left }
    return quotient * right != left && (left < 0) != (right < 0) ? quotient - 1 : quotient
  }

  private static func remainder(_ left: Int, _ right: Int) -> Int {
    let (rest, overflow) = left.remainderReportingOverflow(dividingBy: right)
    guard !overflow else { return 0 }
    return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest
  }

  private static func isOrdered(_ symbol: String, _ first: TemplateValue, _ second: TemplateValue) throws -> Bool {
    let order: Int
    if let first = first.number, let second = second.number {
      order = first < second ? -1 : first > second ? 1 : 0
    } else if case .string(let first) = first, case .string(let second) = second {
      order =
        first.unicodeScalars.lexicographicallyPrecedes(second.unicodeScalars)
        ? -1 : first.utf8.elementsEqual(second.utf8) ? 0 : 1
    } else {
      throw failure("\(first.kind) and \(second.kind) cannot be compared")
    }
    switch symbol {
    case "<": return order < 0
    case ">": return order > 0
    case "<=": return order <= 0
    default: return order >= 0
    }
  }

  private static func contains(_ whole: TemplateValue, _ part: TemplateValue) throws -> Bool {
    switch whole {
    case .list(let values): return values.contains(part)
    case .dictionary(let members): return members.contains { .string($0.key) == part }
    case .string(let text):
      guard case .string(let part) = part else { throw failure("\(part.kind) cannot be looked for in a string") }
      return part.isEmpty || text.utf8.firstRange(of: part.utf8) != nil
    case .undefined: return false
    default: throw failure("nothing can be looked for in \(whole.kind)")
    }
  }
}

extension String.UTF8View {
  /// Where other bytes stand first.
  func firstRange(of other: String.UTF8View) -> Range<Int>? {
    let (bytes, part) = (Array(self), Array(other))
    guard !part.isEmpty, bytes.count >= part.count else { return nil }
    for start in 0...bytes.count - part.count
    where bytes[start] == part[0] && bytes[start..<start + part.count].elementsEqual(part) {
      return start..<start + part.count
    }
    return nil
  }
}
