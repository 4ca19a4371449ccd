import HubWords

/// A finite automaton that reads the UTF-8 of texts that match a pattern (Thompson 1968): states, some of which are
/// reached without a byte.
struct ByteMachine: Sendable {
  /// The most states of a machine.
  static let maximalStates = 200_000

  struct State: Sendable {
    var bytes: ClosedRange<UInt8>?
    var next: [Int32] = []
  }

  private(set) var states: [State] = []
  private(set) var start = 0
  private(set) var end = 0
  /// Whether an end can be reached from a state.
  private(set) var isLive: [Bool] = []

  /// - Throws: ``Failure`` with ``Failure/Code/impossibleConstraint`` if no text matches or the machine is too large
  init(_ pattern: Pattern) throws {
    start = try add()
    end = try append(pattern, after: start)
    markLive()
    guard isLive[start] else { throw Failure(.impossibleConstraint, "no text can meet the constraint") }
  }

  private mutating func add() throws -> Int {
    guard states.count < Self.maximalStates else {
      throw Failure(.impossibleConstraint, "the constraint needs more than \(Self.maximalStates) states")
    }
    states.append(State())
    return states.count - 1
  }

  private mutating func link(_ from: Int, _ to: Int) { states[from].next.append(Int32(truncatingIfNeeded: to)) }

  /// Adds a state that reads bytes and leads to another.
  private mutating func read(_ bytes: ClosedRange<UInt8>, after from: Int, to: Int) throws {
    let state = try add()
    states[state].bytes = bytes
    link(from, state)
    link(state, to)
  }

  /// - Returns: the state in which the pattern is complete
  private mutating func append(_ pattern: Pattern, after from: Int) throws -> Int {
    switch pattern {
    case .scalars(let ranges):
      let to = try add()
      for sequence in ranges.flatMap(ByteRanges.sequences) {
        var place = from
        for (index, bytes) in sequence.enumerated() {
          let next = index == sequence.count - 1 ? to : try add()
          try read(bytes, after: place, to: next)
          place = next
        }
      }
      return to
    case .sequence(let parts):
      return try parts.reduce(from) { try append($1, after: $0) }
    case .any(let alternatives):
      let to = try add()
      for alternative in alternatives { link(try append(alternative, after: from), to) }
      return to
    case .repeated(let part, let least, let most):
      return try appendRepeated(part, least, most, after: from)
    }
  }

  private mutating func appendRepeated(_ part: Pattern, _ least: Int, _ most: Int?, after from: Int) throws -> Int {
    var place = from
    for _ in 0..<least { place = try append(part, after: place) }
    let to = try add()
    link(place, to)
    guard let most else {
      // The loop begins in a state of its own: what stands before it is not to be repeated.
      let loop = try add()
      link(place, loop)
      let last = try append(part, after: loop)
      link(last, loop)
      link(last, to)
      return to
    }
    for _ in least..<max(least, most) {
      place = try append(part, after: place)
      link(place, to)
    }
    return to
  }

  private mutating func markLive() {
    var before = Array(repeating: [Int32](), count: states.count)
    for (index, state) in states.enumerated() {
      for next in state.next { before[Int(next)].append(Int32(truncatingIfNeeded: index)) }
    }
    isLive = Array(repeating: false, count: states.count)
    isLive[end] = true
    var open = [end]
    while let state = open.popLast() {
      for one in before[state].map(Int.init) where !isLive[one] {
        isLive[one] = true
        open.append(one)
      }
    }
  }

  /// The states that read a byte or end the text, and can be reached from these without a byte.
  func closure(_ from: [Int32]) -> [Int32] {
    var seen = Set<Int32>(), open = from, result: [Int32] = []
    while let state = open.popLast() {
      guard isLive[Int(state)], seen.insert(state).inserted else { continue }
      if states[Int(state)].bytes != nil || Int(state) == end { result.append(state) }
      if states[Int(state)].bytes == nil { open += states[Int(state)].next }
    }
    return result.sorted()
  }
}
