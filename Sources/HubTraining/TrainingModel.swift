public import HubAdapters
public import HubTensor
public import HubTransformer

/// What one pass of training reads and is taught.
public struct TrainingBatch: Sendable {
  /// The texts.
  public let tokens: TokenBatch
  /// What each head learns, counted in the tokens of the texts.
  public let targets: [HeadTargets]
  /// For a `multi_task` the number of each sequence's task.
  public let tasks: [Int]
  /// The tokens of each word, by sequence and counted from its beginning, for heads that answer words.
  public let words: [[Range<Int>]]?
  /// What the decoder of an encoder-decoder reads, whose states the heads look at; `nil` where it reads the texts.
  public let written: TokenBatch?

  public init(
    _ tokens: TokenBatch, _ targets: [HeadTargets], tasks: [Int] = [], words: [[Range<Int>]]? = nil,
    written: TokenBatch? = nil
  ) {
    self.written = written
    self.tokens = tokens
    self.targets = targets
    self.tasks = tasks
    self.words = words
  }
}

/// A base model, a setup and heads, as training sees them: from a batch to its loss.
public struct TrainingModel: Sendable {
  /// The base model.
  public let base: any BaseModel
  /// What acts on it; `nil` where the base alone learns.
  public let setup: Setup?
  /// One head; one for each branch of a `parallel` or part of a `batch_split`, whose losses are added up.
  public let heads: [any Head]
  /// Fusions whose values are kept near the adapters' outputs.
  public var regularizedFusions: [AdapterFusion] = []
  /// What share of the loss asks for all classes alike.
  public var labelSmoothing: Float = 0
  /// Layers that run without adapters.
  public var skippedLayers: Set<Int> = []

  public init(base: any BaseModel, setup: Setup?, heads: [any Head]) {
    (self.base, self.setup, self.heads) = (base, setup, heads)
  }

  /// The loss of a batch: the sum of the heads' losses, and of what keeps fusions near their start.
  ///
  /// - Throws: ``Failure``: tokens that the model does not take, labels that are not what a head learns from.
  public func loss(_ batch: TrainingBatch, in context: Context) throws -> BatchLoss {
    let hidden = try states(batch, in: context)
    let all = sequences(of: batch)
    var total: Tensor?, items = 0
    for (index, head) in heads.enumerated() {
      let (rows, sequences) = part(index, of: hidden, all)
      let states = rows == 0..<hidden.rows ? hidden : context.rows(hidden, rows)
      let part = try loss(head, states, sequences, batch.targets[index], batch, in: context)
      total = total.map { context.add($0, part.value) } ?? part.value
      items += part.items
    }
    for fusion in regularizedFusions {
      if let share = fusion.regularization(in: context) { total = total.map { context.add($0, share) } ?? share }
    }
    return BatchLoss(total ?? context.tensor(rows: 1, columns: 1, [0]), items: items)
  }

  /// The last hidden states of a batch, `[rows, hidden]`.
  public func states(_ batch: TrainingBatch, in context: Context) throws -> Tensor {
    guard let setup else { return try states(batch, NoInterventions(), context) }
    let adapters = try ComposedAdapters(
      setup, for: batch.tokens.sequences, skippedLayers: skippedLayers, tasks: batch.tasks)
    return try states(batch, adapters, context)
  }

  private func states(_ batch: TrainingBatch, _ adapters: some Interventions, _ context: Context) throws -> Tensor {
    guard let written = batch.written, let model = base as? any EncoderDecoder else {
      return try base(batch.tokens, with: adapters, in: context)
    }
    let source = try model.encoded(batch.tokens, with: adapters, in: context)
    return try model.decoded(written, over: source, continuing: nil, with: adapters, in: context)
  }

  /// The sequences that the heads look at.
  func sequences(of batch: TrainingBatch) -> Sequences {
    batch.written?.sequences ?? setup?.lengthened(batch.tokens.sequences) ?? batch.tokens.sequences
  }

  /// The rows that one of several heads reads: a copy of the batch, a part of it, or all.
  private func part(_ index: Int, of hidden: Tensor, _ all: Sequences) -> (Range<Int>, Sequences) {
    if heads.count > 1, let sizes = setup?.partSizes {
      let first = sizes[..<index].reduce(0, +), end = min(all.count, first + sizes[index])
      return (all.offsets[first]..<all.offsets[end], Sequences(lengths: (first..<end).map { all[$0].count }))
    }
    if heads.count > 1, hidden.rows > all.rows { return (index * all.rows..<(index + 1) * all.rows, all) }
    return (0..<hidden.rows, all.repeated(hidden.rows / max(1, all.rows)))
  }

  private func loss(
    _ head: any Head, _ hidden: Tensor, _ sequences: Sequences, _ targets: HeadTargets, _ batch: TrainingBatch,
    in context: Context
  ) throws -> BatchLoss {
    try reading(head, hidden, sequences, targets, batch, in: context).loss
  }

  /// What a head says, and the loss of that.
  struct Reading {
    /// Of a language model only the rows that have a label.
    let logits: Tensor
    let loss: BatchLoss
    let sequences: Sequences
    /// The labels of a language model's rows.
    var classes: [Int] = []
  }

  /// What the first head says of a batch.
  func answers(_ batch: TrainingBatch, in context: Context) throws -> Reading {
    let hidden = try states(batch, in: context)
    return try reading(heads[0], hidden, sequences(of: batch), batch.targets[0], batch, in: context)
  }

  private func reading(
    _ head: any Head, _ hidden: Tensor, _ sequences: Sequences, _ targets: HeadTargets, _ batch: TrainingBatch,
    in context: Context
  ) throws -> Reading {
    let added =
      sequences.count == 0 ? 0 : (sequences.rows - (batch.written ?? batch.tokens).sequences.rows) / sequences.count
    let targets = heads.count > 1 ? targets : targets.moved(by: added, in: sequences, of: head.answer)
    // A layer as wide as the vocabulary is worth its price only where something is learned.
    if head.answer == .word, case .classes(let classes) = targets {
      try HeadTargets.check(classes.count, sequences.rows)
      let rows = classes.indices.filter { classes[$0] != nil }
      guard !rows.isEmpty else {
        let nothing = BatchLoss(context.tensor(rows: 1, columns: 1, [0]), items: 0)
        return Reading(logits: context.tensor(rows: 0, columns: 1, []), loss: nothing, sequences: sequences)
      }
      let input = HeadInput(
        context.rows(hidden, rows), Sequences(lengths: [rows.count]), base: base, inverting: setup?.inverting)
      let logits = try head.logits(input, in: context)
      let value = try loss(head, logits, .classes(rows.map { classes[$0] }), in: context)
      return Reading(
        logits: logits, loss: BatchLoss(value, items: rows.count), sequences: sequences,
        classes: rows.compactMap { classes[$0] })
    }
    let words = batch.words.map { $0.map { $0.map { $0.lowerBound + added..<$0.upperBound + added } } }
    let input = HeadInput(hidden, sequences, base: base, inverting: setup?.inverting, words: words)
    let logits = try head.logits(input, in: context)
    let value = try loss(head, logits, targets, in: context)
    return Reading(logits: logits, loss: BatchLoss(value, items: targets.itemCount), sequences: sequences)
  }

  private func loss(_ head: any Head, _ logits: Tensor, _ targets: HeadTargets, in context: Context) throws -> Tensor {
    guard labelSmoothing > 0, case .classes = targets else { return try head.loss(logits, targets, in: context) }
    return try context.crossEntropy(logits, labels: targets.classes(for: logits), smoothing: labelSmoothing)
  }
}

extension HeadTargets {
  /// Over how many labels a loss is the mean.
  var itemCount: Int {
    switch self {
    case .classes(let classes): classes.count { $0 != nil }
    case .values(let values): values.count
    case .sets(let sets): sets.count
    case .spans(let spans, _): spans.count { $0.start != nil || $0.end != nil }
    case .trees(let trees, _): trees.reduce(0) { $0 + $1.count }
    }
  }

  /// The same labels where a prompt stands before each sequence.
  fileprivate func moved(by added: Int, in sequences: Sequences, of answer: HeadAnswer) -> HeadTargets {
    guard added > 0 else { return self }
    switch self {
    case .classes(let classes) where answer.unit == .token:
      var first = 0
      return .classes(
        (0..<sequences.count).flatMap { index -> [Int?] in
          let own = sequences[index].count - added
          defer { first += own }
          return Array(repeating: nil, count: added) + classes[first..<min(classes.count, first + own)]
        })
    case .spans(let spans, _):
      return .spans(spans.map { ($0.start.map { $0 + added }, $0.end.map { $0 + added }) }, of: sequences)
    default: return self
    }
  }
}
