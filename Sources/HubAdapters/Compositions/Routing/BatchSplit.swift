import HubTensor

/// `batch_split`: each child works on its sequences of the batch.
struct BatchSplit: Routing {
  let sizes: [Int]

  func routes(_ sequences: Sequences, tasks: [Int]) -> [Route] {
    var first = 0
    return sizes.map { count in
      defer { first += count }
      return Route(first..<min(sequences.count, first + count), of: sequences)
    }
  }

  func check(_ sequences: Sequences, tasks: [Int]) throws {
    try check(sizes, addUpTo: sequences.count, "sequences in the batch")
  }

  var partSizes: [Int]? { sizes }
}
