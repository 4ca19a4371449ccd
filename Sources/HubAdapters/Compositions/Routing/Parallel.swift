import HubTensor

/// `parallel`: each child works on a copy of the batch.
struct Parallel: Routing {
  let copies: Int

  func routes(_ sequences: Sequences, tasks: [Int]) -> [Route] { (0..<copies).map { Route(copy: $0, of: sequences) } }

  var dividesBatch: Bool { false }
}
