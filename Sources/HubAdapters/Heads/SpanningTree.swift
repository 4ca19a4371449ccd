/// Maximum spanning trees (Chu and Liu 1965; Edmonds 1967), in which exactly one word hangs on the root.
enum SpanningTree {
  /// The head of each word in the tree whose arcs have the largest sum.
  ///
  /// - Parameter scores: of each word those of its heads, the root first; its own place is not looked at. What is not
  ///   finite counts as worse than anything else.
  static func heads(of scores: [[Double]]) -> [Int] {
    let finite = scores.joined().filter(\.isFinite)
    guard let least = finite.min(), let most = finite.max() else { return scores.indices.map { $0 } }
    // What is not a score costs more than all others can gain, and a second arc from the root more than that.
    let worst = least - (most - least + 1) * Double(scores.count + 1),
      penalty = (most - worst + 1) * Double(scores.count + 1)
    var weights = [[Double]](repeating: Array(repeating: -.infinity, count: scores.count + 1), count: scores.count + 1)
    for (word, row) in scores.enumerated() {
      precondition(row.count == scores.count + 1)
      for (head, score) in row.enumerated() where head != word + 1 {
        let score = score.isFinite ? score : worst
        weights[head][word + 1] = head == 0 ? score - penalty : score
      }
    }
    return Array(arborescence(weights).dropFirst())
  }

  /// The best head of each node but the root, node 0.
  ///
  /// - Parameter weights: by head and dependent; minus infinity where there is no arc
  private static func arborescence(_ weights: [[Double]]) -> [Int] {
    let nodes = weights.indices
    var heads = nodes.map { node in nodes.reduce(0) { weights[$1][node] > weights[$0][node] ? $1 : $0 } }
    guard let cycle = cycle(in: heads) else { return heads }

    // The cycle becomes one node, the last of those that remain. An arc into it takes the place of one of its own.
    let members = Set(cycle), rest = nodes.filter { !members.contains($0) }, merged = rest.count
    var smaller = [[Double]](repeating: Array(repeating: -.infinity, count: merged + 1), count: merged + 1)
    var entries = Array(repeating: cycle[0], count: merged), exits = entries
    for (index, node) in rest.enumerated() {
      for (other, target) in rest.enumerated() { smaller[index][other] = weights[node][target] }
      func gain(_ member: Int) -> Double { weights[node][member] - weights[heads[member]][member] }
      entries[index] = cycle.reduce(cycle[0]) { gain($1) > gain($0) ? $1 : $0 }
      exits[index] = cycle.reduce(cycle[0]) { weights[$1][node] > weights[$0][node] ? $1 : $0 }
      smaller[index][merged] = gain(entries[index])
      smaller[merged][index] = weights[exits[index]][node]
    }
    let below = arborescence(smaller)
    for (index, node) in rest.enumerated() where index != 0 {
      heads[node] = below[index] == merged ? exits[index] : rest[below[index]]
    }
    heads[entries[below[merged]]] = rest[below[merged]]
    return heads
  }

  /// Nodes that go round in a circle, if any do; the root has no head.
  private static func cycle(in heads: [Int]) -> [Int]? {
    var visited = Array(repeating: -1, count: heads.count)
    for start in heads.indices.dropFirst() {
      var node = start
      while node != 0, visited[node] < 0 {
        visited[node] = start
        node = heads[node]
      }
      guard node != 0, visited[node] == start else { continue }
      var cycle = [node], next = heads[node]
      while next != node {
        cycle.append(next)
        next = heads[next]
      }
      return cycle
    }
    return nil
  }
}
