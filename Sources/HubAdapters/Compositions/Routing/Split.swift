import HubTensor

/// `split`: each child works on its tokens of every sequence.
struct Split: Routing {
  let tokens: [Int]

  func routes(_ sequences: Sequences, tasks: [Int]) -> [Route] {
    tokens.reduce(into: (first: 0, routes: [Route]())) { state, count in
      state.routes.append(Route(tokens: state.first..<state.first + count, of: sequences))
      state.first += count
    }.routes
  }

  func check(_ sequences: Sequences, tasks: [Int]) throws {
    let longest = (0..<sequences.count).map { sequences[$0].count }.max() ?? 0
    try check(tokens, addUpTo: longest, "tokens in the longest sequence")
  }

  var takesSublayersOnly: Bool { true }
}
