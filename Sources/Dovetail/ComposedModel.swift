public import HubAdapters
public import HubManifest
import HubTensor
import HubTokenizers
import HubTransformer

extension Failure.Code {
  /// A text has more tokens than the model takes.
  public static let overlongText = Self("run/overlong", .badData)
  /// A setup has no head that could answer.
  public static let missingHead = Self("run/no-head", .usage)
  /// The head answers another kind of question.
  public static let wrongHead = Self("run/wrong-head", .usage)
}

/// Adapters and a head on a base model, ready to answer. A value without state: it may be used from any thread.
public struct ComposedModel: Sendable {
  public let base: Base
  /// `nil` runs the base model alone.
  public let setup: Setup?
  public let head: any Head

  public init(base: Base, setup: Setup?, head: any Head) {
    self.base = base
    self.setup = setup
    self.head = head
  }

  /// Answers for one text.
  ///
  /// - Throws: ``Failure``: the text has more tokens than the model takes, or the head does not classify.
  public func classify(_ text: String, pair: String? = nil) throws -> Classification {
    guard case .classification(let answer) = try predict([.text(text, pair: pair)])[0].get() else {
      throw Failure(.wrongHead, "the head answers words and does not classify texts")
    }
    return answer
  }

  /// Tags the words of a text.
  ///
  /// - Throws: ``Failure``: the text has more tokens than the model takes, or the head does not tag.
  public func tag(_ text: String) throws -> [TaggedWord] { try tag(.text(text)) }

  /// Tags words.
  public func tag(words: [String]) throws -> [TaggedWord] { try tag(.words(words)) }

  private func tag(_ input: TextInput) throws -> [TaggedWord] {
    guard case .tagging(let words) = try predict([input])[0].get() else {
      throw Failure(.wrongHead, "the head does not tag words")
    }
    return words
  }

  /// Parses a text.
  ///
  /// - Throws: ``Failure``: the text has more tokens than the model takes, or the head does not parse.
  public func parse(_ text: String) throws -> [ParsedWord] { try parse(.text(text)) }

  /// Parses a sentence of these words.
  public func parse(words: [String]) throws -> [ParsedWord] { try parse(.words(words)) }

  private func parse(_ input: TextInput) throws -> [ParsedWord] {
    guard case .parsing(let words) = try predict([input])[0].get() else {
      throw Failure(.wrongHead, "the head does not parse")
    }
    return words
  }

  /// Answers for many inputs, in their order. They share passes over the base model; one that cannot be answered does
  /// not keep the others from it.
  ///
  /// - Parameter maximumLength: cuts inputs to this many tokens; without it, an input that is too long is a failure
  /// - Throws: ``Failure`` if the model itself fails.
  public func predict(_ inputs: [TextInput], maximumLength: Int? = nil) throws -> [Result<Prediction, Failure>] {
    let encodings = inputs.map { input in Result { () throws(Failure) in try encode(input, maximumLength: maximumLength) } }
    var answers: [Result<Prediction, Failure>] = []
    var pending: [Int] = [], tokens = 0
    func flush() throws {
      let batch = try pending.map { (inputs[$0], try encodings[$0].get()) }
      answers += try run(batch).map { .success($0) }
      (pending, tokens) = ([], 0)
    }
    for (index, encoding) in encodings.enumerated() {
      switch encoding {
      case .success(let encoding):
        pending.append(index)
        tokens += encoding.count
        if tokens >= Self.batchTokens { try flush() }
      case .failure(let failure):
        try flush()
        answers.append(.failure(failure))
      }
    }
    try flush()
    return answers
  }

  /// Enough rows to keep every thread busy, few enough to stay near the processor.
  private static let batchTokens = 2048

  private func encode(_ input: TextInput, maximumLength: Int?) throws(Failure) -> Encoding {
    let longest = base.model.maximumLength
    do {
      let limit = maximumLength.map { min($0, longest) }
      let encoding =
        switch input {
        case .text(let text, let pair): try base.tokenizer.encode(text, pair: pair, maxLength: limit)
        case .words(let words): try base.tokenizer.encode(words: words, maxLength: limit)
        }
      guard encoding.count <= longest else {
        throw Failure(.overlongText, "the text has \(encoding.count) tokens, the model takes \(longest)", hint: "--max-length \(longest) cuts it")
      }
      return encoding
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.overlongText, "the text cannot be encoded: \(error)")
    }
  }

  private func run(_ batch: [(input: TextInput, encoding: Encoding)]) throws -> [Prediction] {
    if batch.isEmpty { return [] }
    let tokens = TokenBatch(batch.map { (ids: $0.encoding.ids.map(Int.init), typeIDs: $0.encoding.typeIDs.map(Int.init)) })
    let cx = Context(base.engine)
    let spans = head.answer == .tree ? batch.map(\.encoding.wordSpans) : nil
    let input = HeadInput(
      try hiddenStates(tokens, in: cx), tokens.sequences, base: base.model, inverting: setup?.inverting, words: spans?.map { $0.map(\.tokens) })
    let logits = try head.logits(input, in: cx)
    if let spans, let parser = head as? DependencyHead {
      return zip(batch, zip(spans, parser.trees(logits, words: spans.map(\.count)))).map { .parsing(Self.parse($0.input, $1.0, $1.1)) }
    }
    return batch.enumerated().map { index, item in
      guard head.answersTokens else { return .classification(classification(logits.row(index))) }
      let first = tokens.sequences[index].lowerBound
      return .tagging(words(item.input, item.encoding) { logits.row(first + $0) })
    }
  }

  private func hiddenStates(_ tokens: TokenBatch, in cx: Context) throws -> Tensor {
    guard let setup else { return try base.model(tokens, with: NoInterventions(), in: cx) }
    return try base.model(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: cx)
  }

  private func classification(_ logits: [Float]) -> Classification {
    let probabilities = logits.softmax, best = logits.largestIndex
    return Classification(
      label: head.labels[best], probability: probabilities[best], labels: head.labels, probabilities: probabilities, logits: logits)
  }

  /// The words of an input, each with the logits of its first piece.
  private func words(_ input: TextInput, _ encoding: Encoding, _ logits: (Int) -> [Float]) -> [TaggedWord] {
    let spans = encoding.wordSpans
    return Self.words(of: input, spans).map { text, index in
      guard let index else { return TaggedWord(text: text, label: nil, probability: nil, logits: nil) }
      let row = logits(spans[index].tokens.lowerBound), best = row.largestIndex
      return TaggedWord(text: text, label: head.labels[best], probability: row.softmax[best], logits: row)
    }
  }

  /// The words of an input in a tree of those that have tokens.
  private static func parse(_ input: TextInput, _ spans: [WordSpan], _ tree: [Dependency]) -> [ParsedWord] {
    let words = words(of: input, spans)
    // Where each of the tree's words stands among all.
    let places = words.indices.filter { words[$0].span != nil }
    return words.map { text, index in
      guard let index else { return ParsedWord(text: text, head: nil, relation: nil) }
      let head = tree[index].head
      return ParsedWord(text: text, head: head == 0 ? 0 : places[head - 1] + 1, relation: tree[index].relation)
    }
  }

  /// All words of an input, each with the number of its span; without one if the text was cut off before it.
  private static func words(of input: TextInput, _ spans: [WordSpan]) -> [(text: String, span: Int?)] {
    switch input {
    case .words(let words):
      let byWord = Dictionary(spans.enumerated().map { ($1.word, $0) }, uniquingKeysWith: { first, _ in first })
      return words.enumerated().map { ($1, byWord[$0]) }
    case .text(let text, let pair):
      let texts = [Array(text.unicodeScalars), Array((pair ?? "").unicodeScalars)]
      return spans.enumerated().map { index, span in
        var word = String.UnicodeScalarView()
        word.append(contentsOf: texts[span.sequence][span.scalars])
        return (String(word), index)
      }
    }
  }
}

/// Where a word lies in its text and among the tokens.
private struct WordSpan {
  let sequence: Int
  let word: Int
  var tokens: Range<Int>
  var scalars: Range<Int>
}

extension Encoding {
  /// The words that have a piece among the tokens, in order.
  fileprivate var wordSpans: [WordSpan] {
    var spans: [WordSpan] = []
    for token in 0..<count {
      guard let word = wordIDs[token].map(Int.init), let sequence = sequences[token].map(Int.init) else { continue }
      let scalars = Int(offsets[token].lowerBound)..<Int(offsets[token].upperBound)
      if let last = spans.last, last.word == word, last.sequence == sequence {
        spans[spans.count - 1].tokens = last.tokens.lowerBound..<token + 1
        spans[spans.count - 1].scalars = min(last.scalars.lowerBound, scalars.lowerBound)..<max(last.scalars.upperBound, scalars.upperBound)
      } else {
        spans.append(WordSpan(sequence: sequence, word: word, tokens: token..<token + 1, scalars: scalars))
      }
    }
    return spans
  }
}
