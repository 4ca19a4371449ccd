import HubAdapters
public import HubWords
import HubTensor
import HubTokenizers
import HubTransformer

/// One thing to ask of one composed model.
public struct Request: Sendable {
  /// The composition that answers.
  public let model: ComposedModel
  /// What it is asked.
  public let input: TextInput

  public init(_ input: TextInput, of model: ComposedModel) {
    self.input = input
    self.model = model
  }
}

extension Base {
  /// Answers requests in their order. They share passes over the base model, whatever their setups; one that cannot be
  /// answered does not keep the others from it.
  ///
  /// - Parameters:
  ///   - requests: of models on this base
  ///   - maximumLength: cuts inputs to this many tokens; without it, an input that is too long is a failure
  /// - Throws: ``Failure`` if the model itself fails.
  public func answers(to requests: [Request], maximumLength: Int? = nil) throws -> [Result<Prediction, Failure>] {
    var answers: [Result<Prediction, Failure>] = []
    var pending: [(model: ComposedModel, question: Question)] = [], tokens = 0
    func flush() throws {
      answers += try self.answers(to: pending)
      (pending, tokens) = ([], 0)
    }
    for request in requests {
      do {
        let question = try question(request, maximumLength: maximumLength)
        let sharesPass =
          pending.last.map {
            $0.model.identity === request.model.identity || ($0.model.sharesPasses && request.model.sharesPasses)
          } ?? true
        if !sharesPass { try flush() }
        pending.append((request.model, question))
        tokens += question.encodings.reduce(0) { $0 + $1.count }
        if tokens >= Self.batchTokens, !request.model.needsWholeBatch { try flush() }
      } catch let failure as Failure where failure.code.concernsInput {
        if !request.model.needsWholeBatch { try flush() }
        answers.append(.failure(failure))
      }
    }
    try flush()
    return answers
  }

  /// Answers what shares a pass. Where an answer is not finite, each is asked alone: only its own line fails.
  private func answers(
    to items: [(model: ComposedModel, question: Question)]
  ) throws -> [Result<Prediction, Failure>] {
    do {
      return try Pass(base: self, items: items).predictions().map { .success($0) }
    } catch let failure as Failure where failure.code == .notFinite {
      guard items.count > 1, !items.contains(where: \.model.needsWholeBatch) else {
        return items.map { _ in .failure(failure) }
      }
      return try items.flatMap { try answers(to: [$0]) }
    }
  }

  /// Enough rows to keep every thread busy, few enough to stay near the processor.
  private static let batchTokens = 2048

  private func question(_ request: Request, maximumLength: Int?) throws -> Question {
    let longest = model.maximumLength - (request.model.setup?.takenPositions ?? 0), head = request.model.head
    let encoder = InputEncoder(tokenizer: tokenizer, limit: maximumLength.map { min($0, longest) }, longest: longest)
    let input = words(of: request.input, for: head.answer)
    let encodings = try Answers.type(for: head).sequences(of: input, for: head, by: encoder)
    if let count = encodings.map(\.count).first(where: { $0 > longest }) {
      throw Failure(
        .overlongText, "the text has \(count) tokens, but the model takes at most \(longest)",
        hint: "cut it with --max-length \(longest)")
    }
    if let id = encodings.lazy.flatMap(\.ids).first(where: { $0 >= model.vocabularySize }) {
      throw Failure(
        .wrongInput,
        "the token \(tokenizer.token(id)?.debugDescription ?? "") has the id \(id), but the model knows only \(model.vocabularySize)",
        hint: "does the tokenizer belong to another model?")
    }
    return Question(input: input, encodings: encodings)
  }

  /// Heads that say something of each word are taught on sentences that are split into words, punctuation apart. A text
  /// is split so for them, unless its tokenizer does.
  private func words(of input: TextInput, for answer: HeadAnswer) -> TextInput {
    guard answer.readsWords, !tokenizer.separatesPunctuation, case .text(let text, nil) = input else { return input }
    return .words(tokenizer.words(of: text))
  }
}

extension Failure.Code {
  /// Whether it says that one input cannot be answered, which keeps the others from nothing.
  fileprivate var concernsInput: Bool {
    [.overlongText, .wrongInput, .insufficientLength, .excessiveText, .excessiveTokenizer].contains(self)
  }
}

/// An input as the sequences that a head wants to see of it.
struct Question {
  let input: TextInput
  let encodings: [Encoding]
}

/// One pass over a base model.
struct Pass {
  let base: Base
  let items: [(model: ComposedModel, question: Question)]

  /// Consecutive requests of one model.
  private struct Group {
    let model: ComposedModel
    var questions: [Question]
    var sequenceCount: Int { questions.reduce(0) { $0 + $1.encodings.count } }
  }

  func predictions() throws -> [Prediction] {
    if items.isEmpty { return [] }
    let encodings = items.flatMap(\.question.encodings)
    let tokens = TokenBatch(encodings.map { (ids: $0.ids.map(Int.init), typeIDs: $0.typeIDs.map(Int.init)) })
    let groups = groups(), context = Context(base.engine)
    guard groups.count > 1 else {
      let setup = groups[0].model.setup, adapters = try setup.map { try ComposedAdapters($0, for: tokens.sequences) }
      let all = setup?.lengthened(tokens.sequences) ?? tokens.sequences
      return try answers(groups[0], states(tokens, adapters, in: context), all, in: context)
    }
    let setup = try Setup(requests: groups.map { ($0.model.setup, $0.sequenceCount) })
    let hidden = try states(tokens, ComposedAdapters(setup, for: tokens.sequences), in: context)
    var first = 0
    return try groups.flatMap { group in
      let last = first + group.sequenceCount
      defer { first = last }
      let rows = context.rows(hidden, tokens.sequences.offsets[first]..<tokens.sequences.offsets[last])
      return try answers(
        group, rows, Sequences(lengths: (first..<last).map { tokens.sequences[$0].count }), in: context)
    }
  }

  private func groups() -> [Group] {
    items.reduce(into: []) { groups, item in
      if groups.last?.model.identity === item.model.identity {
        groups[groups.count - 1].questions.append(item.question)
      } else {
        groups.append(Group(model: item.model, questions: [item.question]))
      }
    }
  }

  private func states(_ tokens: TokenBatch, _ adapters: ComposedAdapters?, in context: Context) throws -> Tensor {
    guard let adapters else { return try base.model(tokens, with: NoInterventions(), in: context) }
    return try base.model(tokens, with: adapters, in: context)
  }

  /// What the heads of a group's model say: each about all rows, about its branch of a `parallel`, or about its part of
  /// a `batch_split`.
  private func answers(
    _ group: Group, _ hidden: Tensor, _ sequences: Sequences, in context: Context
  ) throws -> [Prediction] {
    let heads = group.model.heads, questions = group.questions
    let texts = questions.flatMap(\.encodings).reduce(0) { $0 + $1.count }
    let addedRows = (sequences.rows - texts) / max(1, sequences.count)
    func answers(
      _ head: ComposedModel.NamedHead, _ questions: some Collection<Question>, _ rows: Range<Int>,
      _ sequences: Sequences
    ) throws -> [Prediction] {
      let states = rows == 0..<hidden.rows ? hidden : context.rows(hidden, rows)
      let input = HeadInput(states, sequences, base: base.model, inverting: group.model.setup?.inverting)
      return try HeadPass(head: head.head, tokenizer: base.tokenizer, addedRows: addedRows)
        .answers(Array(questions), input, in: context).map { Prediction(answers: [(head.name, $0)]) }
    }
    guard heads.count > 1 else { return try answers(heads[0], questions, 0..<hidden.rows, sequences) }
    if let sizes = group.model.setup?.partSizes {
      var first = 0
      return try zip(heads, sizes).flatMap { head, size in
        let part = first..<min(first + size, sequences.count)
        defer { first = part.upperBound }
        let lengths = Sequences(lengths: part.map { sequences[$0].count })
        return try answers(
          head, questions[part], sequences.offsets[part.lowerBound]..<sequences.offsets[part.upperBound], lengths)
      }
    }
    let all = try heads.enumerated().map { branch, head in
      try answers(head, questions, branch * sequences.rows..<(branch + 1) * sequences.rows, sequences)
    }
    return questions.indices.map { question in Prediction(answers: all.flatMap { $0[question].answers }) }
  }
}

/// One head over the hidden states of some questions.
struct HeadPass {
  let head: any Head
  let tokenizer: any Tokenizer
  /// Rows of a prompt that stand before each sequence.
  let addedRows: Int

  /// - Parameter hidden: the states of the questions' sequences, one after the other
  func answers(_ questions: [Question], _ hidden: HeadInput, in context: Context) throws -> [any Answer] {
    let type = try Answers.type(for: head), spans = questions.map { $0.encodings.map(\.wordSpans) }
    let words = spans.joined().map { spans in
      spans.map { $0.tokens.lowerBound + addedRows..<$0.tokens.upperBound + addedRows }
    }
    let input = HeadInput(
      hidden.hidden, hidden.sequences, base: hidden.base, inverting: hidden.inverting,
      words: head.answer.unit == .wordPair ? words : nil)
    let logits = try head.logits(input, in: context)
    guard logits.isFinite else {
      throw Failure(
        .notFinite, "the head's logits are not finite: NaN, or beyond what float32 holds",
        hint: "the weights of the adapter, its head or the base are out of range")
    }
    return try zip(questions, rows(questions, spans.map { $0.map(\.count) }, hidden.sequences)).map { question, rows in
      try type.init(
        AnsweredQuestion(question.input, question.encodings, head, tokenizer, rows: rows, of: logits))
    }
  }

  /// The rows of logits that belong to each question.
  private func rows(_ questions: [Question], _ words: [[Int]], _ sequences: Sequences) -> [[Range<Int>]] {
    var first = 0
    return zip(questions, words).enumerated().map { index, item in
      let (question, words) = item
      switch head.answer.unit {
      case .question: return [index..<index + 1]
      case .sequence:
        defer { first += question.encodings.count }
        return [first..<first + question.encodings.count]
      case .token:
        defer { first += question.encodings.count }
        return question.encodings.indices.map { part in
          let start = sequences[first + part].lowerBound + addedRows
          return start..<start + question.encodings[part].count
        }
      case .wordPair:
        return words.map { count in
          defer { first += count * (count + 1) }
          return first..<first + count * (count + 1)
        }
      }
    }
  }
}

extension Failure.Code {
  /// The numbers of an answer are not finite.
  public static let notFinite = Self("run/not-finite", .badData)
}
