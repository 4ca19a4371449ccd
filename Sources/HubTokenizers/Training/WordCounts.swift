import Glibc
import HubWords

/// How often each word occurs in each of some texts, as BERT's tokenizer normalises and cuts them.
struct WordCounts {
  /// The words of one text, by their bytes: a composed and a decomposed "é" make two words.
  struct Text {
    fileprivate(set) var counts: [[UInt8]: Int] = [:]
    /// Words, repeated ones counted each time.
    fileprivate(set) var total = 0
    /// Words that are too long to be learned from.
    fileprivate(set) var overlong = 0
  }

  private let normalizer: BertNormalizer
  private let longestWord: Int
  private var distinct = 0
  private var bytes = 0
  private(set) var texts: [Text] = []

  init(_ options: WordPieceOptions) {
    normalizer = options.normalizer
    longestWord = options.longestWord
  }

  /// Begins the next text, which lines are added to.
  mutating func beginText() { texts.append(Text()) }

  /// Counts the words of a line.
  ///
  /// - Parameter line: valid UTF-8
  /// - Throws: ``Failure`` with ``Failure/Code/malformedText`` if there are more different words than are kept.
  mutating func add(_ line: [UInt8]) throws {
    if texts.isEmpty { beginText() }
    let text = texts.count - 1
    var normalized = normalizer.normalize(AlignedText(original: line[...], firstScalar: 0))
    for range in BertPreTokenizer().split(&normalized) {
      let word = Array(normalized.bytes[range])
      guard word.count <= longestWord || word.count(where: { !isContinuation($0) }) <= longestWord else {
        texts[text].overlong += 1
        continue
      }
      texts[text].total += 1
      let known = texts[text].counts.count
      texts[text].counts[word, default: 0] += 1
      if texts[text].counts.count > known { try keep(word.count) }
    }
  }

  private mutating func keep(_ count: Int) throws {
    distinct += 1
    bytes += count
    guard distinct <= InputLimits.trainingWords, bytes <= InputLimits.trainingWordBytes else {
      throw Failure(
        .malformedText,
        "the texts have more than \(InputLimits.trainingWords) different words, or \(InputLimits.trainingWordBytes >> 20) MB",
        hint: "give fewer texts: a tenth of the lines makes much the same vocabulary")
    }
  }

  /// The weight of a word that occurs once, where texts are not balanced. Weights are whole numbers, so that their sums
  /// are the same in any order.
  static let unit = 1 << 16

  /// The factor of the counts of each text, in units of ``unit``: *p*/*q*, where *q* is its share of all words, and *p*
  /// ∝ *q*ᵃ.
  func factors(balance: Double) -> [Int] {
    let total = Double(texts.reduce(0) { $0 + $1.total })
    let shares = texts.map { Double($0.total) / total }
    let powers = shares.map { pow($0, balance) }, sum = powers.reduce(0, +)
    return zip(shares, powers).map { share, power in
      balance == 1 ? Self.unit : max(1, Int((Double(Self.unit) * power / sum / share).rounded()))
    }
  }

  /// All words with their weights.
  func weights(balance: Double) -> [[UInt8]: Int] {
    zip(texts, factors(balance: balance)).reduce(into: [:]) { weights, next in
      for (word, count) in next.0.counts { weights[word, default: 0] += count * next.1 }
    }
  }
}
