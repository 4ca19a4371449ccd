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
  /// What the model reads; of an encoder and a decoder, what the encoder reads.
  private let source: Layout
  /// What the heads look at: the source, or what the decoder reads.
  private let layout: Layout
  /// The sequences that the heads look at.
  private let sequences: Sequences
  private var gates: [String: [Tensor]] = [:]
  private(set) var outputs: [StoredTensor] = []

  init(_ parityCase: Case, engine: Engine) throws {
    self.parityCase = parityCase
    loaded = try Loaded(parityCase, engine: engine)
    // The reference averages gates over padding as well, so that there the padding has to take part.
    func layout(added: Int) -> Layout { parityCase.input.layout(keepsPadding: parityCase.wantsGates, added: added) }
    let plain = layout(added: 0).tokens.sequences
    let lengthened = try Self.setup(parityCase, loaded)?.lengthened(plain) ?? plain
    source = layout(added: (lengthened.rows - plain.rows) / max(1, plain.count))
    if let model = loaded.base as? any EncoderDecoder {
      self.layout = parityCase.input.decoderLayout(of: model)
      sequences = self.layout.tokens.sequences
    } else {
      self.layout = source
      sequences = lengthened
    }
  }

  func run() throws {
    if let training = parityCase.training {
      outputs = try TrainingRun(parityCase, training, loaded, setup: setup()).outputs()
      return
    }
    let context = Context(loaded.engine)
    let hidden = try forward(in: context, recordsHiddenStates: true)
    let isWritten = loaded.base is any EncoderDecoder
    try padded("last_hidden_state", hidden)
    try padded((isWritten ? "decoder_" : "") + "hidden_states.\(loaded.ownLayers)", hidden)
    if let pooled = loaded.base.pooled(
      hidden, sequences.repeated(hidden.rows / sequences.rows), adding: nil, in: context)
    {
      try output("pooler_output", [pooled.rows, pooled.columns], pooled.values)
    }
    try outputGates()
    if parityCase.wantsSentenceEmbedding { try sentenceEmbedding(hidden) }
    for (index, name) in (parityCase.heads + loaded.headsOfCheckpoint).enumerated() {
      let (rows, sequences) = part(index, of: hidden)
      let head = try head(name)
      let input = HeadInput(
        context.rows(hidden, rows), sequences, base: loaded.base, inverting: try inverting(),
        words: parityCase.input.paddedWords)
      let logits = try head.logits(input, in: context)
      let label = parityCase.heads.count > 1 ? "logits.\(name)" : "logits"
      switch head.answer {
      case .span:
        for (column, name) in ["start_logits", "end_logits"].enumerated() {
          let part = layout.padded(context.columns(logits, column..<column + 1))
          try output(name, part.shape.dropLast(), part.values)
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

  private func forward(in context: Context, recordsHiddenStates: Bool = false) throws -> Tensor {
    var failure: (any Error)?
    let composed = try setup().map { setup -> ComposedAdapters in
      var observer = ComposedAdapters.Observer()
      observer.fusion = { [self] fusion, site, attention in
        guard recordsHiddenStates else { return }
        do {
          try padded(
            "fusion_attention.\(fusion).\(site.layer).\(place(of: site))", attention,
            loaded.base.shape.encoderLayers.map { site.layer < $0 } ?? true ? source : layout)
        } catch {
          failure = error
        }
      }
      observer.gate = { [self] adapter, site, shares in
        gates["gating.\(adapter).\(site.layer).\(place(of: site))", default: []].append(shares)
      }
      return try ComposedAdapters(
        setup, for: source.tokens.sequences, skippedLayers: parityCase.skippedLayers, tasks: parityCase.input.tasks,
        observer: observer)
    }
    let observer = Observer(composed) { [self] layer, input, output in
      guard recordsHiddenStates else { return }
      do { try observe(layer, input, output) } catch { failure = error }
    }
    let hidden = try pass(observer, recordsHiddenStates, in: context)
    if let failure { throw failure }
    return hidden
  }

  private func pass(_ adapters: Observer, _ recordsHiddenStates: Bool, in context: Context) throws -> Tensor {
    guard let model = loaded.base as? any EncoderDecoder else {
      return try loaded.base(source.tokens, with: adapters, in: context)
    }
    let encoded = try model.encoded(source.tokens, with: adapters, in: context)
    if recordsHiddenStates {
      let layers = loaded.base.shape.encoderLayers ?? 0
      for name in ["encoder_last_hidden_state", "encoder_hidden_states.\(layers)"] {
        try padded(name, encoded.states.tensor, source)
      }
    }
    return try model.decoded(layout.tokens, over: encoded, continuing: nil, with: adapters, in: context)
  }

  /// What goes into the first layer, and what comes out of each but the last: that is given with the norm at the end.
  private func observe(_ layer: Int, _ input: Tensor, _ output: Tensor) throws {
    let encoderLayers = loaded.base.shape.encoderLayers
    let isDecoders = encoderLayers.map { layer >= $0 } ?? false, index = layer - (isDecoders ? encoderLayers ?? 0 : 0)
    let prefix = encoderLayers == nil ? "" : isDecoders ? "decoder_" : "encoder_"
    let place = encoderLayers != nil && !isDecoders ? source : layout
    let count = isDecoders ? loaded.ownLayers : encoderLayers ?? loaded.ownLayers
    if index == 0 { try padded("\(prefix)hidden_states.0", input, place) }
    if index + 1 < count { try padded("\(prefix)hidden_states.\(index + 1)", output, place) }
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
  private func padded(_ name: String, _ tensor: Tensor, _ place: Layout? = nil) throws {
    let padded = (place ?? layout).padded(tensor)
    try output(name, padded.shape, padded.values)
  }
}
