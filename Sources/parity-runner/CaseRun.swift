import HubAdapters
import HubWords
import HubTensor
import HubTraining
import HubModels
import HubTransformer
import HubWeights

/// Runs one case and collects the tensors that it names.
final class CaseRun {
  private let parityCase: Case
  private let loaded: Loaded
  private let tokens: TokenBatch
  /// The sequences that the layers see.
  private let sequences: Sequences
  /// The rows and columns of the real tokens in the padded input, after the prompt.
  private let places: [(row: Int, column: Int)]
  /// The columns that a prompt adds to the padded input.
  private let promptLength: Int
  private var gates: [String: [Tensor]] = [:]
  private(set) var outputs: [StoredTensor] = []

  init(_ parityCase: Case, engine: Engine) throws {
    self.parityCase = parityCase
    loaded = try Loaded(parityCase, engine: engine)
    // The reference averages gates over padding as well, so that there the padding has to take part.
    let keepsPadding = parityCase.wantsGates
    let columns = parityCase.attentionMask.map { mask in mask.indices.filter { keepsPadding || mask[$0] != 0 } }
    let flags = keepsPadding ? parityCase.attentionMask.flatMap { $0 } : []
    tokens = TokenBatch(
      columns.enumerated().map { row, columns in
        (columns.map { parityCase.inputIDs[row][$0] }, columns.map { parityCase.typeIDs[row][$0] })
      },
      unseen: Set(flags.indices.filter { flags[$0] == 0 }))
    sequences = try Self.setup(parityCase, loaded)?.lengthened(tokens.sequences) ?? tokens.sequences
    let promptLength = (sequences.rows - tokens.sequences.rows) / max(1, sequences.count)
    places = columns.enumerated().flatMap { row, columns in
      ((0..<promptLength) + columns.map { $0 + promptLength }).map { (row, $0) }
    }
    self.promptLength = promptLength
  }

  func run() throws {
    if let training = parityCase.training { return try train(training) }
    let cx = Context(loaded.engine)
    let hidden = try forward(in: cx, recordsHiddenStates: true)
    try padded("last_hidden_state", hidden)
    if let pooled = loaded.base.pooled(hidden, sequences.repeated(hidden.rows / sequences.rows), adding: nil, in: cx) {
      try output("pooler_output", [pooled.rows, pooled.columns], pooled.values)
    }
    try outputGates()
    if parityCase.wantsSentenceEmbedding { try sentenceEmbedding(hidden) }
    for (index, name) in (parityCase.heads + loaded.headsOfCheckpoint).enumerated() {
      let (rows, sequences) = part(index, of: hidden)
      let head = try head(name)
      let input = HeadInput(
        cx.rows(hidden, rows), sequences, base: loaded.base, inverting: try inverting(),
        words: parityCase.wordStarts.map(paddedWords))
      let logits = try head.logits(input, in: cx)
      let label = parityCase.heads.count > 1 ? "logits.\(name)" : "logits"
      switch head.answer {
      case .span:
        for (column, name) in ["start_logits", "end_logits"].enumerated() {
          let width = promptLength + (parityCase.inputIDs.first?.count ?? 0)
          try padded(
            name, cx.columns(logits, column..<column + 1),
            shape: [logits.rows / places.count * parityCase.inputIDs.count, width])
        }
      case let answer where answer.unit == .token: try padded(label, logits)
      case .tree: try outputArcs(logits)
      default: try output(label, [logits.rows, logits.columns], logits.values)
      }
    }
  }

  /// The words of each row, followed by empty ones until there are as many as tokens: in the reference these have scores, too.
  private func paddedWords(_ starts: [[Int]]) -> [[Range<Int>]] {
    starts.map { row in
      let ends = row.dropFirst().prefix { $0 > 0 }
      return zip(row, ends).map { $0..<max($0, $1) } + Array(repeating: 0..<0, count: row.count - ends.count)
    }
  }

  private func outputArcs(_ logits: Tensor) throws {
    let rows = parityCase.inputIDs.count, length = parityCase.inputIDs.first?.count ?? 0,
      all = (0..<logits.rows).map { logits.row($0) }
    try output("arc_preds", [rows, length, length + 1], all.map { $0[0] })
    try output("rel_preds", [rows, length, length + 1, logits.columns - 1], all.flatMap { $0.dropFirst() })
  }

  /// The rows that one of several heads reads: a copy of the batch, a part of it, or all.
  private func part(_ index: Int, of hidden: Tensor) -> (Range<Int>, Sequences) {
    let all = sequences
    if let parts = parityCase.headParts {
      let first = parts[..<index].reduce(0, +), end = first + parts[index]
      return (all.offsets[first]..<all.offsets[end], Sequences(lengths: (first..<end).map { all[$0].count }))
    }
    if hidden.rows > all.rows, parityCase.heads.count > 1 { return (index * all.rows..<(index + 1) * all.rows, all) }
    return (0..<hidden.rows, all.repeated(hidden.rows / all.rows))
  }

  private func head(_ name: String) throws -> any Head {
    guard let head = loaded.heads[name]?.head else {
      throw Failure(.unknownName, "there is no head called \(name.debugDescription)")
    }
    return head
  }

  /// An adapter that became part of the weights does not act a second time.
  private static func setup(_ parityCase: Case, _ loaded: Loaded) throws -> Setup? {
    if let folded = parityCase.foldedAdapter, parityCase.setup == .adapter(folded) { return nil }
    return try (parityCase.peft == nil ? parityCase.setup : .adapter(Loaded.peftName)).map(loaded.setup)
  }

  private func setup() throws -> Setup? { try Self.setup(parityCase, loaded) }

  private func inverting() throws -> (any InvertibleAdapter)? { try setup()?.inverting }

  private func forward(in cx: Context, recordsHiddenStates: Bool = false) throws -> Tensor {
    var failure: (any Error)?
    let composed = try setup().map { setup -> ComposedAdapters in
      var observer = ComposedAdapters.Observer()
      observer.fusion = { [self] fusion, site, attention in
        guard recordsHiddenStates else { return }
        do { try padded("fusion_attention.\(fusion).\(site.layer).\(place(of: site))", attention) } catch {
          failure = error
        }
      }
      observer.gate = { [self] adapter, site, shares in
        gates["gating.\(adapter).\(site.layer).\(place(of: site))", default: []].append(shares)
      }
      return try ComposedAdapters(
        setup, for: tokens.sequences, skippedLayers: parityCase.skippedLayers, tasks: parityCase.tasks,
        observer: observer)
    }
    let observer = Observer(composed) { [self] index, states in
      guard recordsHiddenStates else { return }
      do { try padded("hidden_states.\(index)", states) } catch { failure = error }
    }
    let hidden = try loaded.base(tokens, with: observer, in: cx)
    if let failure { throw failure }
    return hidden
  }

  /// What the reference calls a place.
  private func place(of site: Site) -> String {
    switch site.place {
    case .attention, .crossAttention: "mh_adapter"
    case .feedForward: "output_adapter"
    case .query, .key, .value, .attentionOutput: "selfattn_lora"
    case .crossQuery, .crossKey, .crossValue, .crossAttentionOutput: "crossattn_lora"
    case .gate, .intermediate: "intermediate_lora"
    case .output: "output_lora"
    case .prefix: "self_prefix"
    case .crossPrefix: "cross_prefix"
    case .layer: "reft"
    }
  }

  /// The gates of one place side by side: of a LoRA those of each matrix.
  private func outputGates() throws {
    for (name, gates) in gates {
      let rows = gates[0].rows
      let values = (0..<rows).flatMap { row in gates.flatMap { $0.row(row) } }
      try output(name, [rows, values.count / rows].filter { $0 > 1 || name.hasSuffix("_lora") }, values)
    }
  }

  private func train(_ training: Case.Training) throws {
    guard let name = parityCase.heads.first else { throw Failure(.unsupportedCase, "training without a head") }
    // The fusions are loaded with the setup.
    _ = try setup()
    let head = try head(name), trained = try loaded.trained(training)
    let parameters = trained.map(\.parameter)
    let undecayed = Set(
      trained.filter { training.withoutDecay.contains($0.name) }.map { ObjectIdentifier($0.parameter) })
    var optimizer = AdamW(
      learningRate: training.learningRate, weightDecay: training.weightDecay, betas: training.betas,
      epsilon: training.epsilon)
    for step in 0..<training.steps {
      let cx = Context(loaded.engine, training: parameters)
      let logits = try head.logits(
        HeadInput(forward(in: cx), sequences, base: loaded.base, inverting: inverting()), in: cx)
      var loss = try head.loss(logits, labels(training, of: head), in: cx)
      if training.regularizesFusion {
        for fusion in loaded.usedFusions { loss = fusion.regularization(in: cx).map { cx.add(loss, $0) } ?? loss }
      }
      try output("loss.\(step)", [], loss.values)
      let gradients = cx.gradients(of: loss)
      if step == 0 {
        for item in trained {
          let zeros = [Float](repeating: 0, count: item.parameter.count)
          try output("grad.\(item.name)", item.shape, gradients[item.parameter]?.values ?? zeros)
        }
      }
      optimizer.update(parameters, gradients, in: cx) { !undecayed.contains(ObjectIdentifier($0)) }
    }
    for item in trained { try output("param.\(item.name)", item.shape, item.parameter.value.values) }
  }

  private func labels(_ training: Case.Training, of head: any Head) -> HeadTargets {
    switch head.answer {
    case .number: return .values(training.labels.map { Float($0.number ?? .nan) })
    case .labels:
      return .sets(
        training.labels.map { row in Set((row.integers ?? []).enumerated().filter { $0.element == 1 }.map(\.offset)) })
    default:
      let all =
        head.answer.unit == .token
        ? places.map { training.labels[$0.row].array?[$0.column].integer } : training.labels.map(\.integer)
      return .classes(all.map { $0 == -100 ? nil : $0 })
    }
  }

  /// Mean over the tokens, scaled to length one.
  private func sentenceEmbedding(_ hidden: Tensor) throws {
    var values: [Float] = []
    for sequence in 0..<sequences.count {
      var sum = [Float](repeating: 0, count: hidden.columns)
      for row in sequences[sequence] { for (column, value) in hidden.row(row).enumerated() { sum[column] += value } }
      let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      values += sum.map { $0 / length }
    }
    try output("sentence_embedding", [sequences.count, hidden.columns], values)
  }

  private func output(_ name: String, _ shape: [Int], _ values: [Float]) throws {
    outputs.append(try StoredTensor(name: name, shape: shape, floats: values))
  }

  /// Puts packed rows back to where the padded input had them, in each copy of the batch.
  private func padded(_ name: String, _ tensor: Tensor, shape: [Int]? = nil) throws {
    let rows = parityCase.inputIDs.count, length = promptLength + (parityCase.inputIDs.first?.count ?? 0),
      copies = max(1, tensor.rows / places.count)
    var values = [Float](repeating: 0, count: copies * rows * length * tensor.columns)
    for index in 0..<min(tensor.rows, copies * places.count) {
      let place = places[index % places.count]
      let first = ((index / places.count * rows + place.row) * length + place.column) * tensor.columns
      values.replaceSubrange(first..<first + tensor.columns, with: tensor.row(index))
    }
    try output(name, shape ?? [copies * rows, length, tensor.columns], values)
  }
}

/// Passes everything on and looks at the hidden states: 0 after the embeddings, N after layer N.
private struct Observer: Interventions {
  private let adapters: ComposedAdapters?
  private let observe: (Int, Tensor) -> Void

  init(_ adapters: ComposedAdapters?, _ observe: @escaping (Int, Tensor) -> Void) {
    self.adapters = adapters
    self.observe = observe
  }

  func lengthened(_ sequences: Sequences) -> Sequences { adapters?.lengthened(sequences) ?? sequences }

  func virtualTokens(in context: Context) -> VirtualTokens? { adapters?.virtualTokens(in: context) }

  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    adapters?.embedded(x, sequences, in: context) ?? x
  }

  func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Rows {
    adapters?.sublayer(sublayer, at: site, in: context) ?? NoInterventions().sublayer(sublayer, at: site, in: context)
  }

  func projected(_ projection: Projection, at site: Site, in context: Context) -> Rows {
    if site == Site(0, .query) { observe(0, projection.input) }
    return adapters?.projected(projection, at: site, in: context)
      ?? NoInterventions().projected(projection, at: site, in: context)
  }

  func prefix(_ x: Rows, at site: Site, in context: Context) -> AttentionPrefixes? {
    adapters?.prefix(x, at: site, in: context).map { padded($0, in: context) }
  }

  func layer(_ output: Rows, of input: Rows, at index: Int, in context: Context) -> Rows {
    let output = adapters?.layer(output, of: input, at: index, in: context) ?? output
    observe(index + 1, output.tensor)
    return output
  }

  /// The reference fills up the shorter prefixes of a `parallel` with zeros, and adds 1 to their scores instead of hiding them.
  private func padded(_ prefixes: AttentionPrefixes, in context: Context) -> AttentionPrefixes {
    let longest = prefixes.rows.map(\.count).max() ?? 0
    guard prefixes.rows.contains(where: { $0.count < longest }) else { return prefixes }
    let own = prefixes.keys.rows, width = prefixes.keys.columns
    let zeros = context.tensor(rows: longest, columns: width, repeatElement(0, count: longest * width))
    let order = prefixes.rows.map { Array(own..<own + longest - $0.count) + Array($0) }
    let keys = context.rows(context.stacked([prefixes.keys, zeros]), order.flatMap { $0 })
    let values = context.rows(context.stacked([prefixes.values, zeros]), order.flatMap { $0 })
    let rows = order.indices.map { $0 * longest..<($0 + 1) * longest }
    return AttentionPrefixes(
      keys: keys, values: values, rows: rows, scores: order.flatMap { $0.map { $0 < own ? 0 : 1 } })
  }
}
