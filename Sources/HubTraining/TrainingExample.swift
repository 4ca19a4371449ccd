import HubAdapters
public import HubTensor
import HubTransformer

/// One thing to learn from, as the model's tokens.
public struct TrainingExample: Sendable {
  /// What is taught.
  public enum Target: Sendable {
    /// One of the head's labels, or of the choices.
    case label(Int)
    case value(Float)
    case labels(Set<Int>)
    /// A label for each token; `nil` for tokens that have none.
    case tags([Int?])
    /// The tokens where the answer begins and ends, counted in the sequence.
    case span(start: Int, end: Int)
    /// Of each word the head, 0 being the root, and the relation.
    case tree([(head: Int, relation: Int)])
    /// Words to guess, each with its tokens.
    case words([Range<Int>])
    /// The tokens that a decoder is to write, and those that it reads meanwhile, as many.
    case written(reading: [Int], [Int])
  }

  /// The ids and segments of its sequences: one, or as many as there are choices.
  public let sequences: [(ids: [Int], typeIDs: [Int])]
  /// What is taught.
  public let target: Target
  /// The tokens of each word, for heads that answer words.
  public let words: [Range<Int>]

  /// - Parameter words: the tokens of each word, for heads that answer words
  public init(_ sequences: [(ids: [Int], typeIDs: [Int])], _ target: Target, words: [Range<Int>] = []) {
    (self.sequences, self.target, self.words) = (sequences, target, words)
  }

  /// The tokens of all sequences.
  public var tokenCount: Int {
    let written = if case .written(let reading, _) = target { reading.count } else { 0 }
    return sequences.reduce(written) { $0 + $1.ids.count }
  }

  /// The ids of its sequences, which tell it from others.
  public var ids: [[Int]] { sequences.map(\.ids) }
}

/// How words are hidden for a model to guess (Devlin et al. 2019): of the words that are chosen, eight in ten become
/// the mask, one in ten becomes any token, and one in ten stays.
public struct Masking: Hashable, Sendable {
  /// The share of the words that is to be guessed.
  public let share: Double
  /// The id of the mask.
  public let mask: Int
  /// The ids that may stand in a word's place.
  public let vocabulary: Int

  public init(share: Double = 0.15, mask: Int, vocabulary: Int) {
    (self.share, self.mask, self.vocabulary) = (share, mask, vocabulary)
  }

  /// Hides whole words: all tokens of a word, or none.
  ///
  /// - Returns: the ids that the model reads, and for each token what stood there; `nil` where nothing is to be guessed
  func hidden(
    _ ids: [Int], _ words: [Range<Int>], _ generator: inout Randomness.Generator
  ) -> (ids: [Int], labels: [Int?]) {
    var hidden = ids, labels = [Int?](repeating: nil, count: ids.count)
    guard !words.isEmpty else { return (hidden, labels) }
    let count = max(1, Int((Double(words.count) * share).rounded()))
    for word in words.shuffled(using: &generator).prefix(count) {
      for token in word {
        labels[token] = ids[token]
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<8: hidden[token] = mask
        case 8: hidden[token] = Int.random(in: 0..<vocabulary, using: &generator)
        default: break
        }
      }
    }
    return (hidden, labels)
  }
}

extension TrainingBatch {
  /// A batch of examples that teach the same kind of thing.
  ///
  /// - Parameters:
  ///   - masking: for examples with words to guess
  ///   - generator: chooses these words
  public init(
    _ examples: [TrainingExample], masking: Masking? = nil, _ generator: inout Randomness.Generator
  ) {
    var rows: [(ids: [Int], typeIDs: [Int])] = [], hidden: [Int?] = []
    for example in examples {
      guard case .words(let words) = example.target, let masking, let sequence = example.sequences.first else {
        rows += example.sequences
        continue
      }
      let (ids, labels) = masking.hidden(sequence.ids, words, &generator)
      rows.append((ids, sequence.typeIDs))
      hidden += labels
    }
    let tokens = TokenBatch(rows)
    let readsTrees = examples.contains { if case .tree = $0.target { true } else { false } }
    let written = examples.compactMap { example -> (ids: [Int], typeIDs: [Int])? in
      if case .written(let reading, _) = example.target {
        (reading, Array(repeating: 0, count: reading.count))
      } else {
        nil
      }
    }
    self.init(
      tokens, [Self.targets(of: examples, tokens.sequences, hidden)], words: readsTrees ? examples.map(\.words) : nil,
      written: written.isEmpty ? nil : TokenBatch(written))
  }

  private static func targets(
    of examples: [TrainingExample], _ sequences: Sequences, _ hidden: [Int?]
  ) -> HeadTargets {
    switch examples.first?.target {
    case .value: return .values(examples.map { if case .value(let value) = $0.target { value } else { .nan } })
    case .labels: return .sets(examples.map { if case .labels(let labels) = $0.target { labels } else { [] } })
    case .tags:
      return .classes(examples.flatMap { if case .tags(let tags) = $0.target { tags } else { [Int?]() } })
    case .span:
      return .spans(
        examples.map { example -> (start: Int?, end: Int?) in
          if case .span(let start, let end) = example.target { (start, end) } else { (nil, nil) }
        }, of: sequences)
    case .tree:
      return .trees(
        examples.map { example -> [(head: Int, relation: Int)] in
          if case .tree(let tree) = example.target { tree } else { [] }
        })
    case .words: return .classes(hidden)
    case .written:
      return .classes(
        examples.flatMap { if case .written(_, let ids) = $0.target { ids.map(Optional.some) } else { [Int?]() } })
    case .label, nil:
      return .classes(examples.map { if case .label(let label) = $0.target { label } else { nil } })
    }
  }
}
