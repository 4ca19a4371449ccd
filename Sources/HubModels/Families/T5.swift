import HubWords

extension ModelFamily {
  /// T5 (Raffel et al. 2020): an encoder and a decoder with RMS norms before the sublayers, relative positions and no
  /// biases.
  public static let t5 = ModelFamily(
    modelType: "t5", className: "T5", prefix: "transformer",
    keys: ConfigurationKeys(
      hiddenSize: "d_model", layers: "num_layers", heads: "num_heads", intermediateSize: "d_ff",
      activation: "feed_forward_proj", tokenTypes: nil, normEpsilon: "layer_norm_epsilon"),
    defaults: [
      "vocab_size": 32_128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_decoder_layers": .null,
      "num_heads": 8, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128,
      "layer_norm_epsilon": 1e-6, "feed_forward_proj": "relu", "tie_word_embeddings": true, "pad_token_id": 0,
      "eos_token_id": 1, "decoder_start_token_id": 0,
    ],
    fingerprintKeys: [
      "feed_forward_proj", "layer_norm_epsilon", "model_type", "num_heads", "relative_attention_max_distance",
      "tie_word_embeddings",
    ],
    optionalFingerprintKeys: [],
    parts: ["shared", "encoder", "decoder"],
    idleTensors: [
      "encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
      "decoder.block.#.layer.#.EncDecAttention.relative_attention_bias.weight",
    ],
    layers: LayerModules(
      list: "encoder.block", linear: selfAttention.merging(feedForward("layer.1")) { first, _ in first },
      norms: [.attention: "layer.0.layer_norm", .feedForward: "layer.1.layer_norm"],
      otherNames: [.intermediate: "layer.1.DenseReluDense.wi"]),
    decoderLayers: LayerModules(
      list: "decoder.block",
      linear: selfAttention.merging(crossAttention) { first, _ in first }
        .merging(feedForward("layer.2")) { first, _ in first },
      norms: [
        .attention: "layer.0.layer_norm", .crossAttention: "layer.1.layer_norm", .feedForward: "layer.2.layer_norm",
      ],
      otherNames: [.intermediate: "layer.2.DenseReluDense.wi"]),
    variant: { family, configuration in
      guard configuration.members["feed_forward_proj"]?.string?.hasPrefix("gated-") != true else { return }
      family.layers.ungate()
      family.decoderLayers?.ungate()
    },
    wordEmbeddings: "shared",
    adapterHub: AdapterHubModules(
      sublayers: [.attention: "layer.0", .feedForward: "layer.1"], prefixTuning: "layer.0.SelfAttention.prefix_tuning",
      embeddings: "encoder.",
      decoderSublayers: [.attention: "layer.0", .crossAttention: "layer.1", .feedForward: "layer.2"],
      decoderPrefixes: [
        .prefix: "layer.0.SelfAttention.prefix_tuning", .crossPrefix: "layer.1.EncDecAttention.prefix_tuning",
      ]),
    heads: [
      .classification(dense: "classification_head.dense.", "tanh", output: "classification_head.out_proj."),
      .questionAnswering, .writtenWords,
    ],
    tokenizer: TokenizerForm(kind: .unigrams, className: "T5Tokenizer"))

  /// mT5 (Xue et al. 2021): T5 1.1 in a hundred languages.
  public static let mt5: ModelFamily = {
    var family = t5
    family.modelType = "mt5"
    family.className = "MT5"
    family.defaults = family.defaults.with([
      "vocab_size": 250_112, "d_ff": 1024, "num_layers": 8, "num_heads": 6, "feed_forward_proj": "gated-gelu",
      "tie_word_embeddings": false,
    ])
    return family
  }()

  private static let selfAttention: [Site.Place: String] = [
    .query: "layer.0.SelfAttention.q", .key: "layer.0.SelfAttention.k", .value: "layer.0.SelfAttention.v",
    .attentionOutput: "layer.0.SelfAttention.o",
  ]
  private static let crossAttention: [Site.Place: String] = [
    .crossQuery: "layer.1.EncDecAttention.q", .crossKey: "layer.1.EncDecAttention.k",
    .crossValue: "layer.1.EncDecAttention.v", .crossAttentionOutput: "layer.1.EncDecAttention.o",
  ]
  private static func feedForward(_ layer: String) -> [Site.Place: String] {
    [
      .gate: "\(layer).DenseReluDense.wi_0", .intermediate: "\(layer).DenseReluDense.wi_1",
      .output: "\(layer).DenseReluDense.wo",
    ]
  }
}

extension LayerModules {
  /// The first T5 has one matrix where later ones have two.
  fileprivate mutating func ungate() {
    linear[.gate] = nil
    linear.merge(otherNames) { $1 }
    otherNames = [:]
  }
}
