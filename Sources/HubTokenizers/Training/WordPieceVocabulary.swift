import HubWords

/// The pieces of a vocabulary, by their ids: special tokens, characters, characters within words, and what pairs of
/// them make, the most frequent first.
struct WordPieceVocabulary {
  static let specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  let pieces: [[UInt8]]
  /// Different characters.
  let alphabet: Int
  /// Different characters of the texts that are left out.
  let leftOut: Int

  /// - Throws: ``Failure`` with ``Failure/Code/unsupportedTraining`` if the characters alone are too many.
  init(_ counts: WordCounts, options: WordPieceOptions, observe: (Int) -> Void = { _ in }) throws {
    let weights = counts.weights(balance: options.balance)
    let characters = Characters(weights, limit: options.alphabetLimit)
    (alphabet, leftOut) = (characters.kept.count, characters.leftOut)
    let first = Self.specialTokens.map { Array($0.utf8) } + characters.kept.map { Array(String($0).utf8) }
    let start = first + characters.within.map { Array("##\($0)".utf8) }
    guard start.count <= options.vocabularySize else {
      throw Failure(
        .unsupportedTraining,
        "\(start.count) pieces are needed for the special tokens, the \(alphabet) characters of the texts, and the "
          + "\(characters.within.count) of them that continue words, and the vocabulary has \(options.vocabularySize)",
        hint: "ask for a larger vocabulary or, with an alphabet that is limited, for fewer characters")
    }
    var merges = PairMerges(pieces: start, words: weights)
    while merges.pieces.count < options.vocabularySize,
      merges.mergeNext(minimum: options.minimumFrequency * WordCounts.unit)
    {
      observe(merges.pieces.count)
    }
    pieces = merges.pieces
  }
}

/// The characters of words, in the order of their code points.
private struct Characters {
  private(set) var kept: [Unicode.Scalar]
  /// Those that do not only begin words.
  private(set) var within: [Unicode.Scalar]
  let leftOut: Int

  init(_ words: [[UInt8]: Int], limit: Int?) {
    var weights: [Unicode.Scalar: Int] = [:], within: Set<Unicode.Scalar> = []
    for (word, weight) in words {
      var index = 0
      while index < word.count {
        let (scalar, end) = word.scalar(at: index)
        weights[scalar, default: 0] += weight
        if index > 0 { within.insert(scalar) }
        index = end
      }
    }
    let frequent = weights.sorted { ($1.value, $0.key.value) < ($0.value, $1.key.value) }.map(\.key)
    kept = frequent.prefix(limit ?? frequent.count).sorted()
    leftOut = frequent.count - kept.count
    let known = Set(kept)
    self.within = within.filter(known.contains).sorted()
  }
}
