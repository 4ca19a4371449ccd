import HubAdapters
import HubWords
import HubTensor
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
    let (tokens, columns) = parityCase.input.tokens(keepingPadding: parityCase.wantsGates)
    self.tokens = tokens
    sequences = try Self.setup(parityCase, loaded)?.lengthened(tokens.sequences) ?? tokens.sequences
    let promptLength = (sequences.rows - tokens.sequences.rows) / max(1, sequences.count)
    places = columns.enumerated().flatMap { row, columns in
      ((0..<promptLength) + columns.map { $0 + promptLength }).map { (row, $0) }
    }
    self.promptLength = promptLength
  }

  func run() throws {
    if let training = parityCase.training {
      outputs = try TrainingRun(parityCase, training, loaded, setup: setup()).outputs()
      return
    }
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
        words: parityCase.input.paddedWords)
      let logits = try head.logits(input, in: cx)
      let label = parityCase.heads.count > 1 ? "logits.\(name)" : "logits"
      switch head.answer {
      case .span:
        for (column, name) in ["start_logits", "end_logits"].enumerated() {
          let width = promptLength + (parityCase.input.inputIDs.first?.count ?? 0)
          try padded(
            name, cx.columns(logits, column..<column + 1),
            shape: [logits.rows / places.count * parityCase.input.inputIDs.count, width])
        }
      case let answer where answer.unit == .token: try padded(label, logits)
      case .tree: try outputArcs(logits)
      default: try output(label, [logits.rows, logits.columns], logits.values)
      }
    }
  }

  private func outputArcs(_ logits: Tensor) throws {
    let rows = parityCase.input.inputIDs.count, length = parityCase.input.inputIDs.first?.count ?? 0,
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
        setup, for: tokens.sequences, skippedLayers: parityCase.skippedLayers, tasks: parityCase.input.tasks,
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
    let rows = parityCase.input.inputIDs.count, length = promptLength + (parityCase.input.inputIDs.first?.count ?? 0),
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
