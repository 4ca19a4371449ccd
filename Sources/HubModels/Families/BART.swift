import HubWords

extension ModelFamily {
  /// BART (Lewis et al. 2020): an encoder and a decoder that normalise after each sublayer.
  public static let bart = ModelFamily(
    modelType: "bart", className: "Bart", prefix: "model",
    keys: ConfigurationKeys(
      hiddenSize: "d_model", layers: "encoder_layers", heads: "encoder_attention_heads",
      intermediateSize: "encoder_ffn_dim", activation: "activation_function", tokenTypes: nil),
    defaults: [
      "vocab_size": 50_265, "d_model": 1024, "encoder_layers": 12, "decoder_layers": 12, "encoder_attention_heads": 16,
      "decoder_attention_heads": 16, "encoder_ffn_dim": 4096, "decoder_ffn_dim": 4096, "activation_function": "gelu",
      "max_position_embeddings": 1024, "scale_embedding": false, "pad_token_id": 1, "bos_token_id": 0,
      "eos_token_id": 2, "decoder_start_token_id": 2, "tie_word_embeddings": true,
    ],
    fingerprintKeys: [
      "activation_function", "decoder_attention_heads", "encoder_attention_heads", "model_type", "scale_embedding",
    ],
    optionalFingerprintKeys: [],
    parts: ["shared", "encoder", "decoder"],
    idleTensors: ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
    layers: LayerModules(
      list: "encoder.layers", linear: attention.merging(feedForward) { first, _ in first },
      norms: [.attention: "self_attn_layer_norm", .feedForward: "final_layer_norm"]),
    decoderLayers: LayerModules(
      list: "decoder.layers",
      linear: attention.merging(crossAttention) { first, _ in first }.merging(feedForward) { first, _ in first },
      norms: [
        .attention: "self_attn_layer_norm", .crossAttention: "encoder_attn_layer_norm",
        .feedForward: "final_layer_norm",
      ]),
    wordEmbeddings: "shared",
    adapterHub: AdapterHubModules(
      sublayers: [.attention: "attention_adapters", .feedForward: "output_adapters"],
      prefixTuning: "self_attn.prefix_tuning", embeddings: "encoder.",
      decoderSublayers: [
        .attention: "attention_adapters", .crossAttention: "cross_attention_adapters",
        .feedForward: "output_adapters",
      ],
      decoderPrefixes: [.prefix: "self_attn.prefix_tuning", .crossPrefix: "encoder_attn.prefix_tuning"]),
    heads: [
      .classification(dense: "classification_head.dense.", "tanh", output: "classification_head.out_proj."),
      .questionAnswering, .writtenWords,
    ],
    tokenizer: TokenizerForm(kind: .bytePairs, className: "BartTokenizer"))

  /// mBART (Liu et al. 2020): BART in many languages, with the norms before the sublayers.
  public static let mbart: ModelFamily = {
    var family = bart
    family.modelType = "mbart"
    family.className = "MBart"
    family.defaults = family.defaults.with(["decoder_start_token_id": .null])
    family.tokenizer = TokenizerForm(kind: .unigrams, className: "MBartTokenizer")
    return family
  }()

  /// Marian's translators (Junczys-Dowmunt et al. 2018) as the OPUS-MT models have them: BART with the positions of the
  /// first transformer, and no norm over the embeddings.
  public static let marian: ModelFamily = {
    var family = bart
    family.modelType = "marian"
    family.className = "Marian"
    family.defaults = family.defaults.with([
      "vocab_size": 58_101, "pad_token_id": 58_100, "eos_token_id": 0, "decoder_start_token_id": 58_100,
      "share_encoder_decoder_embeddings": true, "decoder_vocab_size": .null,
    ])
    family.idleTensors.formUnion(["encoder.embed_positions.weight", "decoder.embed_positions.weight"])
    family.tokenizer = TokenizerForm(kind: .unigrams, className: "MarianTokenizer")
    return family
  }()

  private static let attention: [Site.Place: String] = [
    .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
    .attentionOutput: "self_attn.out_proj",
  ]
  private static let crossAttention: [Site.Place: String] = [
    .crossQuery: "encoder_attn.q_proj", .crossKey: "encoder_attn.k_proj", .crossValue: "encoder_attn.v_proj",
    .crossAttentionOutput: "encoder_attn.out_proj",
  ]
  private static let feedForward: [Site.Place: String] = [.intermediate: "fc1", .output: "fc2"]
}
