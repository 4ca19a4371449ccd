import HubAdapters
public import HubWords
import HubTensor
import HubTokenizers
import HubTransformer

/// One thing to ask of one composed model.
public struct Request: Sendable {
  public let model: ComposedModel
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
      answers += try Pass(base: self, items: pending).predictions().map { .success($0) }
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
      } catch let failure as Failure where failure.code == .overlongText || failure.code == .wrongInput {
        if !request.model.needsWholeBatch { try flush() }
        answers.append(.failure(failure))
      }
    }
    try flush()
    return answers
  }

  /// Enough rows to keep every thread busy, few enough to stay near the processor.
  private static let batchTokens = 2048

  private func question(_ request: Request, maximumLength: Int?) throws -> Question {
    let longest = model.maximumLength - (request.model.setup?.takenPositions ?? 0),
      limit = maximumLength.map { min($0, longest) }
    let input = words(of: request.input, for: request.model.head.answer), encodings: [Encoding]
    do {
      encodings = try sequences(of: input, for: request.model.head.answer, limit, longest)
    } catch let failure as Failure where failure.code == .wrongInput {
      throw failure
    } catch {
      throw Failure(.overlongText, (error as? Failure)?.message ?? "the text cannot be encoded: \(error)")
    }
    if case .choices(_, let choices) = request.input, choices.count != request.model.head.labels.count {
      throw Failure(
        .wrongInput, "the head chooses one of \(request.model.head.labels.count) texts, and there are \(choices.count)")
    }
    if let count = encodings.map(\.count).first(where: { $0 > longest }) {
      throw Failure(
        .overlongText, "the text has \(count) tokens, the model takes \(longest)",
        hint: "--max-length \(longest) cuts it")
    }
    if let id = encodings.lazy.flatMap(\.ids).first(where: { $0 >= model.vocabularySize }) {
      throw Failure(
        .wrongInput,
        "the token \(tokenizer.token(id)?.debugDescription ?? "") has the id \(id), and the model knows \(model.vocabularySize)",
        hint: "is the tokenizer another model's?")
    }
    return Question(input: input, encodings: encodings)
  }

  /// Heads that say something of each word are taught on sentences that are split into words, punctuation apart. A text
  /// is split so for them, unless its tokenizer does.
  private func words(of input: TextInput, for answer: HeadAnswer) -> TextInput {
    guard answer == .tokenLabel || answer == .tree, !tokenizer.separatesPunctuation, case .text(let text, nil) = input
    else { return input }
    return .words(tokenizer.words(of: text))
  }

  /// Long texts are cut into windows where the answer is looked for in them.
  private func sequences(
    of input: TextInput, for answer: HeadAnswer, _ limit: Int?, _ longest: Int
  ) throws -> [Encoding] {
    switch (input, answer) {
    case (.choices(let text, let choices), .choice):
      return try choices.map { try tokenizer.encode(text, pair: $0, maxLength: limit) }
    case (.choices, _): throw Failure(.wrongInput, "the head does not choose between texts")
    case (_, .choice):
      throw Failure(
        .wrongInput, "the head chooses between texts, and there are none", hint: "{\"text\": …, \"choices\": [ … ]}")
    case (.text(let text, let pair?), .span):
      func windows(_ length: Int) throws -> [Encoding] {
        try tokenizer.windows(text, pair: pair, maxLength: length, overlap: min(128, length / 4))
      }
      guard limit == nil, longest > 384 else { return try windows(limit ?? longest) }
      // Long questions leave no room in windows of the usual length.
      do { return try windows(384) } catch { return try windows(longest) }
    case (.words, .span), (.words, .word):
      throw Failure(.wrongInput, "the head reads texts that are not split into words")
    case (.text(let text, let pair), _): return [try tokenizer.encode(text, pair: pair, maxLength: limit)]
    case (.words(let words), _): return [try tokenizer.encode(words: words, maxLength: limit)]
    }
  }
}

extension Failure.Code {
  /// A text has more tokens than the model takes.
  public static let overlongText = Self("run/overlong", .badData)
  /// An input of a kind that the head does not read.
  public static let wrongInput = Self("run/wrong-input", .badData)
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
    let groups = groups(), cx = Context(base.engine)
    guard groups.count > 1 else {
      let setup = groups[0].model.setup, adapters = try setup.map { try ComposedAdapters($0, for: tokens.sequences) }
      let all = setup?.lengthened(tokens.sequences) ?? tokens.sequences
      return try answers(groups[0], states(tokens, adapters, in: cx), all, in: cx)
    }
    let setup = try Setup(requests: groups.map { ($0.model.setup, $0.sequenceCount) })
    let hidden = try states(tokens, ComposedAdapters(setup, for: tokens.sequences), in: cx)
    var first = 0
    return try groups.flatMap { group in
      let last = first + group.sequenceCount
      defer { first = last }
      let rows = cx.rows(hidden, tokens.sequences.offsets[first]..<tokens.sequences.offsets[last])
      return try answers(group, rows, Sequences(lengths: (first..<last).map { tokens.sequences[$0].count }), in: cx)
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

  private func states(_ tokens: TokenBatch, _ adapters: ComposedAdapters?, in cx: Context) throws -> Tensor {
    guard let adapters else { return try base.model(tokens, with: NoInterventions(), in: cx) }
    return try base.model(tokens, with: adapters, in: cx)
  }

  /// What the heads of a group's model say: each about all rows, about its branch of a `parallel`, or about its part of a
  /// `batch_split`.
  private func answers(_ group: Group, _ hidden: Tensor, _ sequences: Sequences, in cx: Context) throws -> [Prediction]
  {
    let model = group.model, texts = group.questions.flatMap(\.encodings).reduce(0) { $0 + $1.count }
    let addedRows = (sequences.rows - texts) / max(1, sequences.count)
    func answers(
      _ head: ComposedModel.NamedHead, _ questions: ArraySlice<Question>, _ rows: Range<Int>, _ sequences: Sequences
    ) throws -> [Prediction] {
      let states = rows == 0..<hidden.rows ? hidden : cx.rows(hidden, rows)
      let input = HeadInput(states, sequences, base: base.model, inverting: model.setup?.inverting)
      return try Answering(head: head.head, tokenizer: base.tokenizer, addedRows: addedRows).predictions(
        Array(questions), input, in: cx)
    }
    let questions = group.questions[...]
    guard model.heads.count > 1 else { return try answers(model.heads[0], questions, 0..<hidden.rows, sequences) }
    if let sizes = model.setup?.partSizes {
      var first = 0
      return try zip(model.heads, sizes).flatMap { head, size in
        let part = first..<min(first + size, sequences.count)
        defer { first = part.upperBound }
        let lengths = Sequences(lengths: part.map { sequences[$0].count })
        return try answers(
          head, questions[part], sequences.offsets[part.lowerBound]..<sequences.offsets[part.upperBound], lengths)
      }
    }
    let all = try model.heads.enumerated().map { branch, head in
      try answers(head, questions, branch * sequences.rows..<(branch + 1) * sequences.rows, sequences)
    }
    return questions.indices.map { question in
      .several(zip(model.heads, all).map { (head: $0.name, answer: $1[question]) })
    }
  }
}
