import HubTensor

/// Which examples make the batches of each epoch: a function of the seed and the epoch, so that a run can go on
/// anywhere.
public struct Batches: Sendable {
  /// What ends a batch.
  public enum Size: Hashable, Sendable {
    /// So many examples.
    case examples(Int)
    /// As many examples as have this many tokens in all, and at least one: there is no padding to count.
    case tokens(Int)
  }

  private let tokenCounts: [Int]
  private let size: Size
  private let seed: UInt64

  /// - Parameter seed: what the order of each epoch follows from
  public init(_ examples: [TrainingExample], _ size: Size, seed: UInt64) {
    tokenCounts = examples.map(\.tokenCount)
    (self.size, self.seed) = (size, seed)
  }

  /// The batches of an epoch, as indices of examples.
  public func batches(ofEpoch epoch: Int) -> [[Int]] {
    var generator = Randomness(seed: seed, pass: epoch).generator(for: 1)
    var batches: [[Int]] = [], batch: [Int] = [], tokens = 0
    for index in tokenCounts.indices.shuffled(using: &generator) {
      let isFull: Bool =
        switch size {
        case .examples(let count): batch.count >= count
        case .tokens(let limit): !batch.isEmpty && tokens + tokenCounts[index] > limit
        }
      if isFull {
        batches.append(batch)
        (batch, tokens) = ([], 0)
      }
      batch.append(index)
      tokens += tokenCounts[index]
    }
    return batch.isEmpty ? batches : batches + [batch]
  }

  /// The batches in their order, whatever they were shuffled to; for evaluation.
  public static func inOrder(_ examples: [TrainingExample], tokens limit: Int = 4096) -> [Range<Int>] {
    var batches: [Range<Int>] = [], first = 0, tokens = 0
    for (index, example) in examples.enumerated() {
      if index > first, tokens + example.tokenCount > limit {
        batches.append(first..<index)
        (first, tokens) = (index, 0)
      }
      tokens += example.tokenCount
    }
    return first < examples.count ? batches + [first..<examples.count] : batches
  }
}
