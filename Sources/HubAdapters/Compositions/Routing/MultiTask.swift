import HubTensor
import HubWords

/// `multi_task`: each child works on the sequences of its task (MTL-LoRA, Yang et al. 2024).
struct MultiTask: Routing {
  let count: Int

  func routes(_ sequences: Sequences, tasks: [Int]) -> [Route] {
    (0..<count).map { task in Route((0..<sequences.count).filter { tasks[$0] == task }, of: sequences) }
  }

  func check(_ sequences: Sequences, tasks: [Int]) throws {
    guard tasks.count == sequences.count, tasks.allSatisfy((0..<count).contains) else {
      throw Failure(
        .wrongParts, "\(sequences.count) sequences need one task each, between 0 and \(count - 1), not \(tasks)")
    }
  }
}
