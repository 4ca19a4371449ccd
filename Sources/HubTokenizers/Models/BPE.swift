import HubWords

/// Byte pair encoding, the model of RoBERTa and GPT-2: a word is its characters at first; then, again and again, the
/// two neighbours that were the earliest to be merged when the vocabulary was made become one (Sennrich et al. 2016).
struct BPE: TokenModel {
  let vocabulary: Vocabulary
  let unknownID: Int32?
  /// Whether unknown characters in a row are one token.
  private let fusesUnknown: Bool
  /// Whether a word that is a token is taken as it is.
  private let prefersWholeWords: Bool
  /// What stands for characters that are no tokens.
  private let byteTokens: ByteTokens?
  private let merges: [Pair: Merge]

  private struct Pair: Hashable {
    var left: Int32
    var right: Int32
  }

  private struct Merge {
    var rank: Int32
    var id: Int32
  }

  /// - Parameter merges: what is merged, the earliest first.
  /// - Throws: ``Failure`` with ``Failure/Code/malformedVocabulary`` if parts of a merge or its result are not tokens.
  init(
    vocabulary: Vocabulary, merges: [(left: String, right: String)], unknownID: Int32? = nil,
    fusesUnknown: Bool = false,
    prefersWholeWords: Bool = false, fallsBackOnBytes: Bool = false
  ) throws {
    byteTokens = fallsBackOnBytes ? ByteTokens(vocabulary) : nil
    self.vocabulary = vocabulary
    self.unknownID = unknownID
    self.fusesUnknown = fusesUnknown
    self.prefersWholeWords = prefersWholeWords
    var table: [Pair: Merge] = [:]
    table.reserveCapacity(merges.count)
    for (rank, merge) in merges.enumerated() {
      guard let left = vocabulary.id(of: merge.left), let right = vocabulary.id(of: merge.right),
        let id = vocabulary.id(of: merge.left + merge.right)
      else {
        throw Failure(
          .malformedVocabulary, "merge \(rank) or one of its parts is not a token",
          at: "\(merge.left) \(merge.right)".debugDescription)
      }
      table[Pair(left: left, right: right)] = Merge(rank: Int32(truncatingIfNeeded: rank), id: id)
    }
    self.merges = table
  }

  func tokenize(_ text: [UInt8], _ range: Range<Int>, into tokens: inout [ModelToken]) {
    if prefersWholeWords, let id = vocabulary.id(of: text, range) {
      return tokens.append(ModelToken(id: id, range: range))
    }
    var word = characters(text, range)
    merge(&word)
    for symbol in word where !symbol.range.isEmpty { tokens.append(ModelToken(id: symbol.id, range: symbol.range)) }
  }

  /// A part of a word: a character, or what was merged into the place of its first one. Merged away, it is empty.
  private struct Symbol {
    var id: Int32
    var range: Range<Int>
    var previous: Int
    var next: Int
  }

  private func characters(_ text: [UInt8], _ range: Range<Int>) -> [Symbol] {
    var word: [Symbol] = []
    word.reserveCapacity(range.count)
    var start = range.lowerBound
    while start < range.upperBound {
      let end = text.scalar(at: start).end
      let known = vocabulary.id(of: text, start..<end)
      if known == nil, let bytes = byteTokens?.ids(text[start..<end]) {
        for (offset, id) in bytes.enumerated() {
          let place = start + offset
          word.append(Symbol(id: id, range: place..<place + 1, previous: word.count - 1, next: word.count + 1))
        }
      } else if let id = known ?? unknownID {
        if id == unknownID, fusesUnknown, let last = word.last, last.id == id, last.range.upperBound == start {
          word[word.count - 1].range = last.range.lowerBound..<end
        } else {
          word.append(Symbol(id: id, range: start..<end, previous: word.count - 1, next: word.count + 1))
        }
      }
      start = end
    }
    return word
  }

  private func merge(_ word: inout [Symbol]) {
    var candidates = Heap<Candidate>()
    for left in word.indices.dropLast() { offer(left, word, &candidates) }
    while let best = candidates.popFirst() {
      let left = word[best.place]
      guard !left.range.isEmpty, left.next < word.count else { continue }
      let right = word[left.next]
      guard merges[Pair(left: left.id, right: right.id)]?.id == best.id else { continue }
      word[left.next].range = right.range.upperBound..<right.range.upperBound
      word[best.place] = Symbol(
        id: best.id, range: left.range.lowerBound..<right.range.upperBound, previous: left.previous, next: right.next)
      if right.next < word.count { word[right.next].previous = best.place }
      if left.previous >= 0 { offer(left.previous, word, &candidates) }
      offer(best.place, word, &candidates)
    }
  }

  /// Remembers the merge of a symbol with the next, if there is one.
  private func offer(_ place: Int, _ word: [Symbol], _ candidates: inout Heap<Candidate>) {
    let next = word[place].next
    guard next < word.count, let merge = merges[Pair(left: word[place].id, right: word[next].id)] else { return }
    candidates.insert(Candidate(rank: merge.rank, place: place, id: merge.id))
  }

  private struct Candidate: Comparable {
    var rank: Int32
    var place: Int
    var id: Int32

    static func < (first: Candidate, second: Candidate) -> Bool {
      (first.rank, first.place) < (second.rank, second.place)
    }
  }
}

// MARK: - Reading

extension BPE {
  /// Reads `model` of tokenizer.json.
  init(_ json: JSONObject) throws {
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard try json.optionalString(key) ?? "" == "" else {
        throw TokenizerFile.unsupported("model option", key, in: json)
      }
    }
    let vocabulary = try TokenizerFile.vocabulary(json.object("vocab"))
    let unknown = try json.optionalString("unk_token").map { token in
      guard let id = vocabulary.id(of: token) else {
        throw Failure(.malformedVocabulary, "the unknown token \(token.debugDescription) is not in the vocabulary")
      }
      return id
    }
    let merges = try json.array("merges").enumerated().map { index, merge in
      let pair =
        merge.array?.compactMap(\.string)
        ?? merge.string.map { $0.split(separator: " ", omittingEmptySubsequences: false).map(String.init) }
      guard let pair, pair.count == 2 else {
        throw Failure(.malformedVocabulary, "expected two tokens", at: "\(json.path(to: "merges"))[\(index)]")
      }
      return (pair[0], pair[1])
    }
    try self.init(
      vocabulary: vocabulary, merges: merges, unknownID: unknown,
      fusesUnknown: try json.optionalBool("fuse_unk") ?? false,
      prefersWholeWords: try json.optionalBool("ignore_merges") ?? false,
      fallsBackOnBytes: try json.optionalBool("byte_fallback") ?? false)
  }
}

/// A binary heap: its first element is its smallest.
private struct Heap<Element: Comparable> {
  private var elements: [Element] = []

  mutating func insert(_ element: Element) {
    elements.append(element)
    var place = elements.count - 1
    while place > 0, elements[place] < elements[(place - 1) / 2] {
      elements.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func popFirst() -> Element? {
    guard let last = elements.popLast() else { return nil }
    guard let first = elements.first else { return last }
    elements[0] = last
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < elements.count && elements[child] < elements[least] {
        least = child
      }
      guard least != place else { return first }
      elements.swapAt(place, least)
      place = least
    }
  }
}
