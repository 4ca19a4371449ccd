import HubWords
import Synchronization

/// The states of a ``ByteMachine`` that texts really reach, made as they are reached: sets of its states, with the
/// state after each byte and the tokens that may come next.
final class StateTable: Sendable {
  /// The most sets that are kept.
  static let maximalStates = 20_000
  /// The state in which no text can be completed.
  static let dead = -1

  private struct Contents {
    var numbers: [[Int32]: Int] = [:]
    var sets: [[Int32]] = []
    /// 256 a state; nil where nobody has gone yet.
    var next: [[Int?]] = []
    var tokens: [Int: [Int32]] = [:]
    var firstTokens: [Int: [Int32]] = [:]
  }

  private let machine: ByteMachine
  private let contents = Mutex(Contents())

  init(_ machine: ByteMachine) throws {
    self.machine = machine
    _ = try contents.withLock { try Self.number(of: machine.closure([Int32(truncatingIfNeeded: machine.start)]), &$0) }
  }

  /// Whether a text may end in a state.
  func isComplete(_ state: Int) -> Bool {
    contents.withLock { $0.sets[state].contains(Int32(truncatingIfNeeded: machine.end)) }
  }

  /// The state after bytes.
  func state(after bytes: [UInt8], from state: Int = 0) throws -> Int {
    try contents.withLock { contents in
      var state = state
      for byte in bytes where state != Self.dead { state = try next(state, byte, &contents) }
      return state
    }
  }

  private static func number(of set: [Int32], _ contents: inout Contents) throws -> Int {
    if set.isEmpty { return dead }
    if let number = contents.numbers[set] { return number }
    guard contents.sets.count < maximalStates else {
      throw Failure(.impossibleConstraint, "the constraint has more than \(maximalStates) states")
    }
    contents.numbers[set] = contents.sets.count
    contents.sets.append(set)
    contents.next.append(Array(repeating: nil, count: 256))
    return contents.sets.count - 1
  }

  private func next(_ state: Int, _ byte: UInt8, _ contents: inout Contents) throws -> Int {
    if let known = contents.next[state][Int(byte)] { return known }
    let following = contents.sets[state].flatMap { one -> [Int32] in
      let one = machine.states[Int(one)]
      return one.bytes?.contains(byte) == true ? one.next : []
    }
    let number = try Self.number(of: machine.closure(following), &contents)
    contents.next[state][Int(byte)] = number
    return number
  }

  /// The tokens whose bytes lead on from a state.
  func tokens(from state: Int, of vocabulary: VocabularyBytes.Ordered, isFirst: Bool) throws -> [Int32] {
    try contents.withLock { contents in
      if let known = isFirst ? contents.firstTokens[state] : contents.tokens[state] { return known }
      let tokens = try Self.tokens(vocabulary, from: state) { try self.next($0, $1, &contents) }
      if isFirst { contents.firstTokens[state] = tokens } else { contents.tokens[state] = tokens }
      return tokens
    }
  }

  /// Goes through the tokens in the order of their bytes: what two neighbours have in common is read once.
  private static func tokens(
    _ vocabulary: VocabularyBytes.Ordered, from start: Int, _ next: (Int, UInt8) throws -> Int
  ) throws -> [Int32] {
    var path = [start], allowed: [Int32] = []
    for entry in vocabulary.entries {
      // A token that goes on where another has failed fails too.
      if path.count > entry.shared { path.removeLast(path.count - entry.shared - 1) }
      while path.count <= entry.bytes.count, let state = path.last, state != dead {
        path.append(try next(state, entry.bytes[path.count - 1]))
      }
      if path.count == entry.bytes.count + 1, path.last != dead { allowed.append(entry.token) }
    }
    return allowed
  }
}
