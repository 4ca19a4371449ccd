import HubTensor
public import HubTokenizers
public import HubWords

extension Failure.Code {
  /// The model's logits are not finite numbers.
  public static let generationNotFinite = Self("generation/not-finite", .badData)
  /// No token of the vocabulary may come next.
  public static let generationStuck = Self("generation/stuck", .refused)
  /// A prompt is empty, or too long for the length that is asked for.
  public static let generationPrompt = Self("generation/prompt", .usage)
}

/// Writes the texts of many requests in one batch. Requests join and leave between tokens; each has its own options,
/// and what it gets does not depend on the others.
///
/// ```swift
/// var generator = Generator(model, vocabularySize: 32_000, tokenizer: tokenizer)
/// try generator.submit(GenerationRequest(prompt: ids), start: start)
/// while !generator.isIdle {
///   for event in try generator.step() { … }
/// }
/// ```
public struct Generator<Model: NextTokens> {
  private struct Running {
    let id: Int
    var search: any Search
    /// Its rows, and the token that each has still to be given.
    var continuations: [Continuation]
  }

  private struct Waiting {
    let id: Int
    let request: GenerationRequest
    let start: Model.Start
    let search: any Search
    let rows: Int
  }

  private var model: Model
  private let vocabularySize: Int
  private let tokenizer: (any Tokenizer)?
  private let maximalRows: Int
  private var running: [Running] = []
  private var waiting: [Waiting] = []
  private var nextID = 0

  /// - Parameters:
  ///   - vocabularySize: the number of logits
  ///   - tokenizer: needed for texts that stop
  ///   - maximalRows: how many rows run at once at most; a request that needs more runs alone
  public init(
    _ model: Model, vocabularySize: Int, tokenizer: (any Tokenizer)? = nil, maximalRows: Int = 64
  ) {
    self.model = model
    self.vocabularySize = vocabularySize
    self.tokenizer = tokenizer
    self.maximalRows = maximalRows
  }

  /// Whether nothing is left to do.
  public var isIdle: Bool { running.isEmpty && waiting.isEmpty }

  /// Adds a request, which joins at the next step that has room.
  ///
  /// - Returns: the number that events name it by
  /// - Throws: ``Failure`` for options out of range, or a prompt that is empty or leaves no room for a token
  @discardableResult
  public mutating func submit(_ request: GenerationRequest, start: Model.Start) throws -> Int {
    let options = request.options
    try options.check(vocabularySize: vocabularySize)
    let counted = request.countedPrompt ?? request.prompt
    guard !request.prompt.isEmpty, !counted.isEmpty else {
      throw Failure(.generationPrompt, "the prompt is empty", hint: "give at least one token")
    }
    if let id = (request.prompt + counted).first(where: { $0 < 0 || Int($0) >= vocabularySize }) {
      throw Failure(.generationPrompt, "the prompt has the id \(id), but the model has only \(vocabularySize) tokens")
    }
    guard options.limit(afterPrompt: counted.count) > counted.count else {
      throw Failure(
        .generationPrompt,
        "the prompt has \(counted.count) tokens, but max_length is \(options.limit(afterPrompt: counted.count))",
        hint: "set max_new_tokens")
    }
    guard options.stopStrings.isEmpty || tokenizer != nil else {
      throw Failure(.generationOption, "stop_strings needs the model's tokenizer", at: "stop_strings")
    }
    let id = nextID
    nextID += 1
    waiting.append(
      Waiting(
        id: id, request: request, start: start, search: search(request, counted),
        rows: max(options.beams, options.returnedSequences)))
    return id
  }

  private func search(_ request: GenerationRequest, _ counted: [Int32]) -> any Search {
    let options = request.options
    let setting = SearchSetting(
      options: options,
      processors: ScoreProcessors(options, promptCount: counted.count, others: request.processors),
      ending: Ending(options, promptCount: counted.count, tokenizer: tokenizer), promptCount: counted.count)
    let text = WrittenText(prompt: counted, source: request.source)
    if options.beams > 1 { return BeamSearch(setting, text) }
    return TokenSearch(setting, text, randomness: Randomness(seed: options.seed ?? .random(in: 0 ... .max)))
  }

  /// Computes one more token of every request that runs.
  ///
  /// - Throws: what the model throws
  public mutating func step() throws -> [GenerationEvent] {
    let joining = admitted()
    guard !running.isEmpty || !joining.isEmpty else { return [] }
    try arrangeRows()
    var tokens = running.flatMap { $0.continuations.map { [$0.token] } }
    if !joining.isEmpty { try model.begin(joining.map(\.start)) }
    for one in joining {
      tokens.append(one.request.prompt)
      running.append(
        Running(id: one.id, search: one.search, continuations: [Continuation(row: 0, token: 0)]))
    }
    let logits = try model.logits(appending: tokens)
    for row in logits where row.count != vocabularySize {
      throw Failure(.generationNotFinite, "the model gave \(row.count) scores, not \(vocabularySize)")
    }
    return advance(logits)
  }

  /// The requests that there is room for, in the order in which they came.
  private mutating func admitted() -> [Waiting] {
    var rows = running.reduce(0) { $0 + max(1, $1.continuations.count) }
    let count = waiting.prefix { one in
      defer { rows += one.rows }
      return rows == 0 || rows + one.rows <= maximalRows
    }.count
    defer { waiting.removeFirst(count) }
    return Array(waiting.prefix(count))
  }

  /// The rows that the model had after the last step, request by request.
  private var rowsOfModel = 0
  private var parents: [Int] = []

  /// Lets the model keep the rows that go on.
  private mutating func arrangeRows() throws {
    guard parents != Array(0..<rowsOfModel) else { return }
    try model.keep(parents)
  }

  /// Lets every request choose, and notes which rows go on.
  private mutating func advance(_ logits: [[Float]]) -> [GenerationEvent] {
    var events: [GenerationEvent] = [], next: [Running] = []
    var first = 0
    parents = []
    for var request in running {
      let rows = first..<first + request.continuations.count
      first = rows.upperBound
      do {
        request.continuations = try request.search.advance(Array(logits[rows]))
        events += request.search.written.map {
          .token(request: request.id, sequence: $0.sequence, token: $0.token)
        }
        if request.continuations.isEmpty {
          events.append(.finished(request: request.id, request.search.results))
        } else {
          parents += request.continuations.map { rows.lowerBound + $0.row }
          next.append(request)
        }
      } catch {
        events.append(.failed(request: request.id, error as? Failure ?? Failure(.generationStuck, "\(error)")))
      }
    }
    running = next
    rowsOfModel = first
    return events
  }
}

extension Generator {
  /// Runs until nothing is left to do.
  ///
  /// - Returns: the texts of every request that was submitted and not finished yet, by its number
  /// - Throws: the ``Failure`` of the first request that fails, or what the model throws
  public mutating func run() throws -> [Int: [GeneratedSequence]] {
    var results: [Int: [GeneratedSequence]] = [:]
    while !isIdle {
      for event in try step() {
        switch event {
        case .token: break
        case .finished(let request, let sequences): results[request] = sequences
        case .failed(_, let failure): throw failure
        }
      }
    }
    return results
  }
}
