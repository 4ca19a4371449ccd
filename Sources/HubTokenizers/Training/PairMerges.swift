/// Joins the pair of neighbouring pieces that occurs most often, again and again (byte pair encoding; Sennrich et al.
/// 2016, <https://arxiv.org/abs/1508.07909>), in the order of the `BpeTrainer` of Hugging Face, which its
/// `WordPieceTrainer` is.
///
/// Of pairs that occur as often, the one with the lower first id goes first, then the one with the lower second. A
/// piece that two pairs make is one piece.
struct PairMerges {
  private static let continuation = Array("##".utf8)

  /// The pieces by their ids.
  private(set) var pieces: [[UInt8]]
  private var ids: [[UInt8]: Int32]
  /// The pieces of all words, one word after the other; each takes the room of its characters.
  private var symbols: [Int32] = []
  private var words: [(start: Int, count: Int, weight: Int)] = []
  private var pairWeights: [Pair: Int] = [:]
  private var queue = PairQueue()
  /// Where pairs stand that came up since the queue was last filled.
  private var fresh: [Pair: [Int32]] = [:]

  /// Begins with words that are cut into characters.
  ///
  /// - Parameters:
  ///   - pieces: with the characters that words begin with as they are, and those that continue words after `##`
  ///   - words: with their weights; characters that are no piece are left out of them
  init(pieces: [[UInt8]], words weights: [[UInt8]: Int]) {
    self.pieces = pieces
    ids = Dictionary(pieces.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    let characters = CharacterIDs(ids)
    for (word, weight) in weights {
      let start = symbols.count
      var index = 0
      while index < word.count {
        let (scalar, end) = word.scalar(at: index)
        if let id = characters.id(of: scalar, isFirst: index == 0) { symbols.append(id) }
        index = end
      }
      words.append((start, symbols.count - start, weight))
    }
    for (index, word) in words.enumerated() where word.count > 1 {
      for place in word.start..<word.start + word.count - 1 {
        change(Pair(symbols[place], symbols[place + 1]), by: word.weight, in: Int32(index))
      }
    }
    fillQueue()
  }

  /// Makes one more piece, or none where the pair spells a piece that there is already.
  ///
  /// - Returns: false if no pair is left with at least the weight `minimum`.
  mutating func mergeNext(minimum: Int) -> Bool {
    while let top = queue.pop() {
      let weight = pairWeights[top.pair] ?? 0
      guard weight == top.weight else {
        // It has become rarer, or more frequent, since it was put there.
        if weight > 0 { queue.push(top.pair, weight: weight, words: top.words) }
        continue
      }
      guard weight >= minimum else { return false }
      join(top.pair, in: top.words)
      return true
    }
    return false
  }

  private mutating func join(_ pair: Pair, in places: [Int32]) {
    let second = pieces[Int(pair.second)]
    let piece =
      pieces[Int(pair.first)]
      + (second.starts(with: Self.continuation) ? second.dropFirst(Self.continuation.count) : second[...])
    let id = ids[piece] ?? Int32(pieces.count)
    if id == pieces.count {
      pieces.append(piece)
      ids[piece] = id
    }
    for place in places { replace(pair, by: id, in: place) }
    fillQueue()
  }

  /// Replaces a pair in a word. The weight of the pair itself stays what it was: the queue may have more places of it.
  private mutating func replace(_ pair: Pair, by id: Int32, in index: Int32) {
    let (start, count, weight) = words[Int(index)], end = start + count
    var read = start, write = start
    while read < end {
      guard read + 1 < end, symbols[read] == pair.first, symbols[read + 1] == pair.second else {
        symbols[write] = symbols[read]
        (read, write) = (read + 1, write + 1)
        continue
      }
      if write > start {
        change(Pair(symbols[write - 1], pair.first), by: -weight, in: index)
        change(Pair(symbols[write - 1], id), by: weight, in: index)
      }
      symbols[write] = id
      (read, write) = (read + 2, write + 1)
      if read < end {
        change(Pair(pair.second, symbols[read]), by: -weight, in: index)
        change(Pair(id, symbols[read]), by: weight, in: index)
      }
    }
    words[Int(index)].count = write - start
  }

  private mutating func change(_ pair: Pair, by weight: Int, in word: Int32) {
    pairWeights[pair, default: 0] += weight
    guard weight > 0 else { return }
    // A word's pairs come one after the other: it is in the list already if it is the last of it.
    if fresh[pair]?.last != word { fresh[pair, default: []].append(word) }
  }

  private mutating func fillQueue() {
    for (pair, words) in fresh {
      if let weight = pairWeights[pair], weight > 0 { queue.push(pair, weight: weight, words: words) }
    }
    fresh.removeAll(keepingCapacity: true)
  }
}

/// The ids of characters, at the beginning of words and within them.
private struct CharacterIDs {
  private var first: [Unicode.Scalar: Int32] = [:]
  private var further: [Unicode.Scalar: Int32] = [:]

  init(_ ids: [[UInt8]: Int32]) {
    for (piece, id) in ids {
      let scalars = Array(String(decoding: piece, as: UTF8.self).unicodeScalars)
      if scalars.count == 1 { first[scalars[0]] = id }
      if scalars.count == 3, piece.starts(with: [0x23, 0x23]) { further[scalars[2]] = id }
    }
  }

  func id(of scalar: Unicode.Scalar, isFirst: Bool) -> Int32? { isFirst ? first[scalar] : further[scalar] }
}

/// Two neighbouring pieces.
struct Pair: Hashable, Comparable {
  private let ids: UInt64

  init(_ first: Int32, _ second: Int32) {
    ids = UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
  }

  var first: Int32 { Int32(truncatingIfNeeded: ids >> 32) }
  var second: Int32 { Int32(truncatingIfNeeded: ids) }

  static func < (one: Pair, other: Pair) -> Bool { one.ids < other.ids }
}

/// Pairs, the heaviest first: a binary heap.
struct PairQueue {
  struct Entry {
    let pair: Pair
    /// When it was put there.
    let weight: Int
    /// Where it stands, or stood.
    let words: [Int32]
    /// How many were put there before it: a pair may be there twice, with other places.
    fileprivate let order: Int

    fileprivate func goesBefore(_ other: Entry) -> Bool {
      if weight != other.weight { return weight > other.weight }
      return pair == other.pair ? order < other.order : pair < other.pair
    }
  }

  private var entries: [Entry] = []
  private var pushed = 0

  mutating func push(_ pair: Pair, weight: Int, words: [Int32]) {
    entries.append(Entry(pair: pair, weight: weight, words: words, order: pushed))
    pushed += 1
    var index = entries.count - 1
    while index > 0, entries[index].goesBefore(entries[(index - 1) / 2]) {
      entries.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func pop() -> Entry? {
    guard !entries.isEmpty else { return nil }
    entries.swapAt(0, entries.count - 1)
    let top = entries.removeLast()
    var index = 0
    while true {
      let left = 2 * index + 1, right = left + 1
      guard left < entries.count else { return top }
      let child = right < entries.count && entries[right].goesBefore(entries[left]) ? right : left
      guard entries[child].goesBefore(entries[index]) else { return top }
      entries.swapAt(index, child)
      index = child
    }
  }
}
