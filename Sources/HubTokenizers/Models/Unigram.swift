import HubWords

/// The model of SentencePiece's unigram language models, such as XLM-R's: of all ways to cut a word into tokens, the
/// one whose tokens' log probabilities have the largest sum (Kudo 2018, "Subword Regularization").
///
/// A character that no token covers costs ten more than the least probable token; such characters in a row are one
/// unknown token.
struct Unigram: TokenModel {
  let vocabulary: Vocabulary
  let unknownID: Int32?
  /// By id.
  private let scores: [Double]
  private let unknown: Int32
  private let unknownScore: Double
  /// What stands for characters that are no tokens.
  private let byteTokens: ByteTokens?

  /// - Parameters:
  ///   - tokens: with their log probabilities, in the order of their ids
  ///   - unknown: the id of the token for what no other covers
  /// - Throws: ``Failure``: a token too long or there twice, or no token with the id `unknown`.
  init(tokens: [(token: String, score: Double)], unknown: Int, fallsBackOnBytes: Bool = false) throws {
    guard tokens.indices.contains(unknown) else {
      throw Failure(.malformedVocabulary, "the unknown token's id, \(unknown), belongs to no token")
    }
    var vocabulary = Vocabulary(minimumCapacity: tokens.count)
    for (id, (token, _)) in tokens.enumerated() {
      // From each place of a text tokens are looked up as far as the longest goes.
      guard token.utf8.count <= InputLimits.tokenBytes else {
        throw Failure(.excessiveTokenizer, "the token \(id) has \(token.utf8.count) bytes")
      }
      try vocabulary.insert(token.utf8, id: id)
    }
    self.vocabulary = vocabulary
    byteTokens = fallsBackOnBytes ? ByteTokens(vocabulary) : nil
    self.unknown = Int32(unknown)
    unknownID = Int32(unknown)
    scores = tokens.map(\.score)
    unknownScore = (scores.min() ?? 0) - 10
  }

  /// The best way to cut the text as far as some place: its score, and the last token on it.
  private struct Path {
    var score = -Double.infinity
    var start = -1
    var id: Int32 = 0
  }

  func tokenize(_ text: [UInt8], _ range: Range<Int>, into tokens: inout [ModelToken]) {
    let paths = bestPaths(text, range)
    let first = tokens.count
    var end = range.upperBound
    while end > range.lowerBound {
      let path = paths[end - range.lowerBound]
      if path.id == unknown, tokens.count > first, tokens[tokens.count - 1].id == unknown {
        tokens[tokens.count - 1].range = path.start..<tokens[tokens.count - 1].range.upperBound
      } else {
        tokens.append(ModelToken(id: path.id, range: path.start..<end))
      }
      end = path.start
    }
    tokens[first...].reverse()
    if let byteTokens { tokens[first...] = byteTokens.replacing(unknown, in: tokens[first...], text) }
  }

  /// Viterbi's algorithm: the best path to each place, from those to places before.
  private func bestPaths(_ text: [UInt8], _ range: Range<Int>) -> [Path] {
    var paths = [Path](repeating: Path(), count: range.count + 1)
    paths[0].score = 0
    var start = range.lowerBound
    while start < range.upperBound {
      let score = paths[start - range.lowerBound].score
      let next = text.scalar(at: start).end
      var isCovered = false
      func offer(_ id: Int32, _ score: Double, _ end: Int) {
        if paths[end - range.lowerBound].start < 0 || score > paths[end - range.lowerBound].score {
          paths[end - range.lowerBound] = Path(score: score, start: start, id: id)
        }
      }
      vocabulary.forEachToken(in: text, start..<range.upperBound) { id, end in
        offer(id, score + scores[Int(id)], end)
        isCovered = isCovered || end == next
      }
      if !isCovered { offer(unknown, score + unknownScore, next) }
      start = next
    }
    return paths
  }
}

extension Unigram {
  /// Reads `model` of tokenizer.json: `vocab` is a list of tokens and scores, a token's id being its place.
  init(_ json: JSONObject) throws {
    let tokens = try json.array("vocab").enumerated().map { id, entry in
      guard let pair = entry.array, pair.count == 2, let token = pair[0].string, let score = pair[1].number else {
        throw Failure(.malformedVocabulary, "expected a token and its score", at: "\(json.path(to: "vocab"))[\(id)]")
      }
      return (token, score)
    }
    try self.init(
      tokens: tokens, unknown: json.integer("unk_id"), fallsBackOnBytes: json.optionalBool("byte_fallback") ?? false)
  }
}
