import HubModels
import HubTensor
@testable import HubTransformer
import HubWords
import Testing

/// A text that is read in pieces comes to what it comes to when it is read at once.
@Suite struct ContinuationTests {
  private let engine = Engine(kernels: Kernels.available[0], threads: 2)

  private static let decoder: JSON.Members = [
    "vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 12, "max_position_embeddings": 64,
  ]
  static let decoders: [JSON.Members] = [
    ["model_type": "gpt2", "vocab_size": 20, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64],
    [
      "model_type": "gpt2", "vocab_size": 20, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64,
      "scale_attn_by_inverse_layer_idx": true,
    ],
    decoder.with(["model_type": "llama"]),
    decoder.with(["model_type": "llama", "num_key_value_heads": 1, "head_dim": 6, "attention_bias": true]),
    decoder.with([
      "model_type": "llama",
      "rope_scaling": ["type": "yarn", "factor": 4, "original_max_position_embeddings": 16],
    ]),
    decoder.with(["model_type": "mistral", "sliding_window": 4]),
    decoder.with(["model_type": "qwen2", "use_sliding_window": true, "sliding_window": 4, "max_window_layers": 1]),
  ]
  private static let bart: JSON.Members = [
    "vocab_size": 20, "d_model": 16, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 2,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "max_position_embeddings": 32,
    "decoder_start_token_id": 2,
  ]
  private static let t5: JSON.Members = [
    "vocab_size": 20, "d_model": 16, "d_kv": 5, "d_ff": 12, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4,
    "relative_attention_num_buckets": 8, "relative_attention_max_distance": 12,
  ]
  static let encoderDecoders: [JSON.Members] = [
    t5.with(["model_type": "t5"]), t5.with(["model_type": "mt5"]), bart.with(["model_type": "bart"]),
    bart.with(["model_type": "mbart", "scale_embedding": true]), bart.with(["model_type": "marian"]),
  ]

  private func model(_ configuration: JSON.Members) throws -> any BaseModel {
    try BaseModels.model(
      JSONObject(configuration), from: ParameterSource(FreshParameters(seed: 4, engine: engine)))
  }

  private func expectClose(_ x: [Float], _ y: [Float], _ what: String) {
    let difference = zip(x, y).map { abs($0 - $1) }.max() ?? .infinity
    #expect(x.count == y.count && difference < 2e-5, "\(what): \(difference)")
  }

  /// The rows of some tokens of each sequence, one sequence after another.
  private func rows(_ x: Tensor, _ lengths: [Int], _ range: (Int) -> Range<Int>) -> [Float] {
    let sequences = Sequences(lengths: lengths)
    return lengths.indices.flatMap { index in range(index).flatMap { x.row(sequences[index].lowerBound + $0) } }
  }

  private let texts = [[3, 7, 1, 12, 5, 9, 18, 4, 2, 11, 6, 13, 8], [9, 9, 2, 15, 1]]
  /// Where the pieces of the texts end: some tokens, then one at a time, then several at once for one of the texts
  /// only.
  private let pieces = [[9, 2], [10, 3], [11, 4], [12, 4], [13, 5]]

  private func batches(_ body: (_ new: TokenBatch, _ range: [Range<Int>]) throws -> Void) rethrows {
    var read = [0, 0]
    for piece in pieces {
      let ranges = zip(read, piece).map { $0..<$1 }
      try body(TokenBatch(zip(texts, ranges).map { Array($0[$1]) }, starts: read), ranges)
      read = piece
    }
  }

  @Test(arguments: decoders)
  func aDecoderGoesOnWhereItStopped(configuration: JSON.Members) throws {
    let model = try #require(try model(configuration) as? any Decoder), context = Context(engine)
    let whole = try model(TokenBatch(texts), with: NoInterventions(), in: context), cache = KeyValueCache(sequences: 2)
    try batches { tokens, ranges in
      let hidden = try model(tokens, continuing: cache, with: NoInterventions(), in: context)
      expectClose(hidden.values, rows(whole, texts.map(\.count)) { ranges[$0] }, "tokens \(ranges)")
    }
    #expect(cache.lengths == texts.map(\.count))
  }

  @Test(arguments: encoderDecoders)
  func anEncodersDecoderGoesOnWhereItStopped(configuration: JSON.Members) throws {
    let model = try #require(try model(configuration) as? any EncoderDecoder), context = Context(engine)
    let source = try model.encoded(TokenBatch([[4, 8, 2], [5, 1, 17, 3, 2]]), with: NoInterventions(), in: context)
    let whole = try model.decoded(
      TokenBatch(texts), over: source, continuing: nil, with: NoInterventions(), in: context)
    let cache = KeyValueCache(sequences: 2)
    try batches { tokens, ranges in
      let hidden = try model.decoded(tokens, over: source, continuing: cache, with: NoInterventions(), in: context)
      expectClose(hidden.values, rows(whole, texts.map(\.count)) { ranges[$0] }, "tokens \(ranges)")
    }
  }

  @Test(arguments: decoders)
  func aTextIsTheSameBitForBitWhateverElseIsRead(configuration: JSON.Members) throws {
    let model = try #require(try model(configuration) as? any Decoder)
    func read(_ texts: [[Int]], threads: Int) throws -> [[Float]] {
      let context = Context(Engine(kernels: Kernels.available[0], threads: threads))
      let cache = KeyValueCache(sequences: texts.count)
      var results = [[Float]](repeating: [], count: texts.count)
      for token in 0..<3 {
        let new = TokenBatch(
          texts.map { token == 0 ? Array($0.dropLast(2)) : [$0[$0.count - 3 + token]] }, starts: cache.lengths)
        let hidden = try model(new, continuing: cache, with: NoInterventions(), in: context)
        for (index, range) in (0..<texts.count).map({ ($0, new.sequences[$0]) }) {
          results[index] = hidden.row(range.upperBound - 1)
        }
      }
      return results
    }
    let alone = try texts.map { try read([$0], threads: 1)[0] }
    #expect(try read(texts, threads: 1) == alone && read(texts.reversed(), threads: 3) == alone.reversed())
  }

  @Test func aSearchKeepsSomeOfItsTexts() throws {
    for configuration in [Self.decoders[2], Self.decoders[5]] {
      let model = try #require(try model(configuration) as? any Decoder), context = Context(engine)
      let cache = KeyValueCache(sequences: 2)
      _ = try model(TokenBatch(texts), continuing: cache, with: NoInterventions(), in: context)
      cache.keep([1, 1, 0], in: context)
      #expect(cache.lengths == [5, 5, 13])
      let next = try model(
        TokenBatch([[3], [4], [3]], starts: cache.lengths), continuing: cache, with: NoInterventions(), in: context)
      for (row, text) in [texts[1] + [3], texts[1] + [4], texts[0] + [3]].enumerated() {
        let whole = try model(TokenBatch([text]), with: NoInterventions(), in: context)
        expectClose(next.row(row), whole.row(text.count - 1), "after \(text)")
      }
    }
  }

  @Test func distancesFallIntoT5sBuckets() throws {
    // From the reference: 32 buckets, distances up to 128.
    let table = Parameter("table", Context(engine).tensor(rows: 32, columns: 1, (0..<32).map { Float($0) }))
    func buckets(_ distances: [Int], isCausal: Bool) -> [Int] {
      distances.map { RelativeBias(table: table, maximumDistance: 128, isCausal: isCausal).bucket($0) }
    }
    #expect(
      buckets([-128, -20, -10, -1, 0, 1, 8, 9, 16, 64, 500], isCausal: false)
        == [15, 10, 8, 1, 0, 17, 24, 24, 26, 30, 31])
    #expect(buckets([-128, -16, -8, -7, -1, 3], isCausal: true) == [31, 16, 8, 7, 1, 0])
  }

  @Test func llama3StretchesLongWavelengths() throws {
    // From the reference.
    let members: JSON.Members = [
      "rope_theta": 500_000,
      "rope_scaling": [
        "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
        "original_max_position_embeddings": 8192,
      ],
    ]
    let c = JSONObject(members)
    let expected: [Float] = [
      1.0, 0.193922758, 0.0376060307, 0.00729266508, 0.000524846022, 3.42810235e-05, 6.64786967e-06, 1.28917316e-06,
    ]
    let frequencies = try RotaryPositions(c, width: 16, maximumLength: 131_072).frequencies
    #expect(zip(frequencies, expected).allSatisfy { abs($0 / $1 - 1) < 2e-6 })
  }

  @Test(
    arguments: [
      ("llama", "num_key_value_heads", 3), ("llama", "head_dim", 5), ("llama", "rope_theta", 0),
      ("llama", "rope_scaling", ["rope_type": "longrope", "factor": 2]), ("llama", "rope_scaling", ["type": "linear"]),
      ("llama", "rope_scaling", ["type": "linear", "factor": -1]), ("mistral", "sliding_window", 0),
      ("llama", "hidden_act", "abs"), ("llama", "rms_norm_eps", -1),
    ] as [(String, String, JSON)])
  func configurationsThatMakeNoSenseAreRefused(type: String, key: String, value: JSON) {
    #expect(throws: Failure.self) {
      try model(Self.decoder.with(["model_type": .string(type), key: value]))
    }
  }
}
