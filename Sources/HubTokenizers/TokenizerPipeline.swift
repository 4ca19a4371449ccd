import HubWords

/// The stages that text goes through on its way to ids, whatever they are.
struct TokenizerPipeline: Tokenizer {
  var normalizer: (any Normalizer)?
  var preTokenizer: any PreTokenizer
  var model: any TokenModel
  var postProcessor: TemplateProcessor
  var decoder: any TokenDecoder
  /// All tokens, added ones included.
  var vocabulary: Vocabulary
  var addedTokens: AddedTokens
  var specialIDs: SpecialIDs
  /// Whether texts that are too long lose their beginning instead of their end.
  var truncatesAtStart = false

  func encode(_ text: String, pair: String?, maxLength: Int?) throws -> Encoding {
    let first = try tokens(of: text)
    let second = try pair.map { try tokens(of: $0) }
    return try assemble(first, second, maxLength: maxLength)
  }

  func encode(words: [String], maxLength: Int?) throws -> Encoding {
    var (pipeline, tokens) = (self, TokenSequence())
    pipeline.preTokenizer = preTokenizer.forWords
    pipeline.postProcessor.trimming?.addsPrefixSpace = true
    for (index, word) in words.enumerated() { try pipeline.append(word, word: index, to: &tokens) }
    return try pipeline.assemble(tokens, nil, maxLength: maxLength)
  }

  func windows(_ text: String, pair: String?, maxLength: Int, overlap: Int) throws -> [Encoding] {
    let first = try tokens(of: text)
    let second = try pair.map { try tokens(of: $0) }
    let room = try room(in: maxLength, forPair: second != nil) - (second == nil ? 0 : first.count)
    let cut = second ?? first
    guard overlap >= 0, room > overlap || cut.count <= room else {
      let others = second == nil ? "" : " beside the \(first.count) of the first text"
      throw Failure(.insufficientLength, "windows of \(maxLength) tokens\(others) cannot overlap by \(overlap)")
    }
    return Truncation.windows(cut.count, length: room, overlap: overlap).map { window in
      second == nil ? postProcessor.apply(cut[window], nil) : postProcessor.apply(first, cut[window])
    }
  }

  var separatesPunctuation: Bool { preTokenizer.separatesPunctuation }
  var vocabularySize: Int { vocabulary.idBound }
  func token(_ id: Int32) -> String? { vocabulary.token(id) }
  func id(of token: String) -> Int32? { vocabulary.id(of: token) }

  func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
    let kept = skippingSpecialTokens ? ids.filter { !addedTokens.isSpecial($0) } : ids
    return decoder.decode(kept.compactMap(vocabulary.token))
  }

  func bytes(of id: Int32, isFirst: Bool) -> [UInt8] {
    guard !addedTokens.isSpecial(id), let token = vocabulary.token(id) else { return [] }
    return decoder.bytes(of: token, isFirst: isFirst)
  }
}

extension TokenizerPipeline {
  /// How many tokens of text fit besides the special ones.
  private func room(in maxLength: Int, forPair isPair: Bool) throws -> Int {
    let added = postProcessor.addedCount(forPair: isPair)
    guard maxLength >= added else {
      throw Failure(
        .insufficientLength, "the \(added) special tokens alone are more than the \(maxLength) tokens allowed")
    }
    return maxLength - added
  }

  private func assemble(_ first: TokenSequence, _ second: TokenSequence?, maxLength: Int?) throws -> Encoding {
    guard let maxLength else { return postProcessor.apply(first, second) }
    let room = try room(in: maxLength, forPair: second != nil)
    func kept(_ tokens: TokenSequence, _ count: Int) -> TokenSequence {
      truncatesAtStart ? tokens[max(0, tokens.count - count)..<tokens.count] : tokens.prefix(count)
    }
    guard let second else { return postProcessor.apply(kept(first, room), nil) }
    let counts = Truncation.longestFirst((first.count, second.count), room: room)
    return postProcessor.apply(kept(first, counts.0), kept(second, counts.1))
  }

  private func tokens(of text: String) throws -> TokenSequence {
    var tokens = TokenSequence()
    try append(text, word: nil, to: &tokens)
    return tokens
  }

  /// - Parameter word: the index of the word that the text is; `nil` to count the words found.
  private func append(_ text: String, word: Int?, to tokens: inout TokenSequence) throws {
    let bytes = Array(text.utf8)
    guard bytes.count < Int32.max else { throw Failure(.excessiveText, "the text has \(bytes.count) bytes") }
    var cutter = Cutter(pipeline: self, word: word, tokens: tokens)
    tokens = TokenSequence()
    var scalar: Int32 = 0
    func scalars(_ range: Range<Int>) -> Int32 { Int32(bytes[range].count { !isContinuation($0) }) }
    for part in addedTokens.split(original: bytes) {
      if let token = part.token {
        let start = scalar + scalars(part.range.lowerBound..<part.content.lowerBound)
        cutter.append(
          token, place: scalar..<scalar + scalars(part.range), content: start..<start + scalars(part.content))
      } else {
        try cutter.cut(AlignedText(original: bytes[part.range], firstScalar: scalar))
      }
      scalar += scalars(part.range)
    }
    tokens = cutter.tokens
  }

  /// Cuts what stands between added tokens, and counts words.
  private struct Cutter {
    let pipeline: TokenizerPipeline
    let word: Int?
    var tokens: TokenSequence
    var wordsFound = 0
    var modelTokens: [ModelToken] = []

    init(pipeline: TokenizerPipeline, word: Int?, tokens: TokenSequence) {
      self.pipeline = pipeline
      self.word = word
      self.tokens = tokens
    }

    /// An added token, which is a word.
    ///
    /// - Parameter content: its place without the white space that it takes
    mutating func append(_ token: Int32, place: Range<Int32>, content: Range<Int32>) {
      var offsets = place
      if let trimming = pipeline.postProcessor.trimming {
        let isFirst = tokens.count == 0 || place.lowerBound == 0
        let keepsSpaces = trimming.keepsSpaces(content.lowerBound - place.lowerBound, isFirst: isFirst)
        offsets = (keepsSpaces ? place : content).lowerBound..<content.upperBound
      }
      tokens.append(token, offsets: offsets, word: word ?? wordsFound)
      wordsFound += 1
    }

    mutating func cut(_ original: AlignedText) throws {
      let text = try pipeline.normalizer?.bounded(original) ?? original
      for part in pipeline.addedTokens.split(normalized: text.bytes) {
        if let token = part.token {
          append(token, place: text.source(of: part.range), content: text.source(of: part.content))
        } else {
          cutWords(part.range.count == text.count ? text : text[part.range])
        }
      }
    }

    private mutating func cutWords(_ text: AlignedText) {
      var text = text
      for range in pipeline.preTokenizer.split(&text) {
        modelTokens.removeAll(keepingCapacity: true)
        pipeline.model.tokenize(text.bytes, range, into: &modelTokens)
        for token in modelTokens {
          tokens.append(token.id, offsets: text.source(of: token.range), word: word ?? wordsFound)
        }
        wordsFound += 1
      }
    }
  }
}
