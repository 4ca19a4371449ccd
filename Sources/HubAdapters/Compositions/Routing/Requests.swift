import HubTensor

/// Setups that know nothing of each other, each with its part of the batch.
struct Requests: Routing {
  private let parts: BatchSplit

  init(sizes: [Int]) { parts = BatchSplit(sizes: sizes) }

  func routes(_ sequences: Sequences, tasks: [Int]) -> [Route] { parts.routes(sequences, tasks: tasks) }
  func check(_ sequences: Sequences, tasks: [Int]) throws { try parts.check(sequences, tasks: tasks) }

  var isIndependent: Bool { true }
}
