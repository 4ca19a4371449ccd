public import HubAdapters
public import HubTensor
public import HubTransformer
import HubWords

/// A base model that writes, with a setup of adapters and a head for each row: what lets requests with different
/// adapters share a batch.
///
/// Keys and values of what was read are kept. Where an adapter looks at the whole text (a gate that is a mean over it,
/// ReFT's positions), its rows read the text again at every step instead.
public struct ComposedWriter: NextTokens {
  /// What a row begins with.
  public struct Start: Sendable {
    /// Rows with the same number have the same setup and head, and are computed together.
    public let group: Int
    /// The adapters; `nil` for the base model alone.
    public let setup: Setup?
    /// What names the next word.
    public let head: any Head
    /// What the encoder of an encoder-decoder reads.
    public let source: [Int32]

    public init(group: Int, setup: Setup?, head: any Head, source: [Int32] = []) {
      self.group = group
      self.setup = setup
      self.head = head
      self.source = source
    }
  }

  private let base: any BaseModel
  private let engine: Engine
  private var rows: [Start] = []
  private var texts: [[Int32]] = []
  private var cache = KeyValueCache(sequences: 0)
  private var encoded: EncodedTexts?

  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedModel`` for a model that writes nothing
  public init(_ base: any BaseModel, engine: Engine) throws {
    guard base.writes else {
      throw Failure(
        .unsupportedModel, "the model can only read texts, not write them", hint: "use a decoder or an encoder-decoder")
    }
    self.base = base
    self.engine = engine
  }

  public mutating func begin(_ starts: [Start]) throws {
    for start in starts {
      guard start.setup?.copies ?? 1 == 1, start.setup?.dividesBatch != true else {
        throw Failure(
          .unsuitableBlock, "a setup with parallel or batch_split cannot write text",
          at: start.setup?.composition.description, hint: "give each request the setup that it is meant for")
      }
    }
    let context = Context(engine)
    if let model = base as? any EncoderDecoder {
      let batch = TokenBatch(starts.map { $0.source.map(Int.init) })
      let new = try model.encoded(batch, with: Self.adapters(starts, batch.sequences), in: context)
      encoded = encoded.map { $0.joined(with: new, in: context) } ?? new
    }
    rows += starts
    texts += starts.map { _ in [] }
    cache.begin(starts.count)
  }

  public mutating func keep(_ kept: [Int]) throws {
    rows = kept.map { rows[$0] }
    texts = kept.map { texts[$0] }
    guard !kept.isEmpty else {
      (cache, encoded) = (KeyValueCache(sequences: 0), nil)
      return
    }
    let context = Context(engine)
    cache.keep(kept, in: context)
    encoded = encoded?.keep(kept, in: context)
  }

  public mutating func logits(appending tokens: [[Int32]]) throws -> [[Float]] {
    let rereads = rows.contains { $0.setup?.looksAtWholeTexts ?? false }
    let starts = rereads ? rows.map { _ in 0 } : texts.map(\.count)
    for row in rows.indices { texts[row] += tokens[row] }
    let batch = TokenBatch((rereads ? texts : tokens).map { $0.map(Int.init) }, starts: starts)
    let context = Context(engine), adapters = try Self.adapters(rows, batch.sequences)
    let hidden: Tensor
    if let model = base as? any EncoderDecoder, let encoded {
      hidden = try model.decoded(
        batch, over: encoded, continuing: rereads ? nil : cache, with: adapters, in: context)
    } else if let model = base as? any Decoder {
      hidden = try model(batch, continuing: rereads ? nil : cache, with: adapters, in: context)
    } else {
      throw Failure(.unsupportedModel, "the model can only read texts, not write them")
    }
    return try named(hidden, batch.sequences, in: context)
  }

  /// Rows that one head reads.
  private struct Reader: Hashable {
    let weights: [ObjectIdentifier]
    /// Where the head undoes what the setup did to the embeddings.
    let group: Int?

    init(_ start: Start) {
      weights = start.head.parameters.map(ObjectIdentifier.init)
      group = start.setup?.inverting == nil ? nil : start.group
    }
  }

  /// What the heads make of the last token of each row. A layer as wide as the vocabulary is read once for all rows of
  /// a head, whatever their adapters.
  private func named(_ hidden: Tensor, _ sequences: Sequences, in context: Context) throws -> [[Float]] {
    var result = [[Float]](repeating: [], count: rows.count)
    for indices in Dictionary(grouping: rows.indices, by: { Reader(rows[$0]) }).values {
      let last = context.rows(hidden, indices.map { sequences.offsets[$0 + 1] - 1 }), start = rows[indices[0]]
      let input = HeadInput(
        last, Sequences(lengths: indices.map { _ in 1 }), base: base, inverting: start.setup?.inverting)
      let logits = try start.head.logits(input, in: context)
      for (row, index) in indices.enumerated() { result[index] = logits.row(row) }
    }
    return result
  }

  /// Neighbours of the same group.
  private static func groups(_ rows: [Start]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    for row in rows.indices {
      if let last = groups.last, rows[last.lowerBound].group == rows[row].group {
        groups[groups.count - 1] = last.lowerBound..<row + 1
      } else {
        groups.append(row..<row + 1)
      }
    }
    return groups
  }

  private static func adapters(_ rows: [Start], _ sequences: Sequences) throws -> any Interventions {
    let groups = groups(rows)
    guard rows.contains(where: { $0.setup != nil }) else { return NoInterventions() }
    if groups.count == 1, let setup = rows[0].setup {
      return try ComposedAdapters(setup, for: sequences)
    }
    let setup = try Setup(requests: groups.map { (rows[$0.lowerBound].setup, $0.count) })
    return try ComposedAdapters(setup, for: sequences)
  }
}
