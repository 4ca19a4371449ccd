import HubWords

extension ModelFamily {
  /// DeBERTa v2 and v3 (He et al. 2021, 2023): BERT whose scores depend on what stands where and how far apart.
  public static let debertaV2: ModelFamily = {
    var family = ModelFamily(
      modelType: "deberta-v2", className: "DebertaV2", prefix: "deberta",
      defaults: [
        "vocab_size": 128_100, "hidden_size": 1536, "num_hidden_layers": 24, "num_attention_heads": 24,
        "intermediate_size": 6144, "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 0,
        "layer_norm_eps": 1e-7, "relative_attention": false, "max_relative_positions": -1, "pad_token_id": 0,
        "position_biased_input": true, "pos_att_type": .null, "position_buckets": -1, "share_att_key": false,
        "norm_rel_ebd": "none", "conv_kernel_size": 0,
      ],
      fingerprintKeys: [
        "hidden_act", "layer_norm_eps", "max_relative_positions", "model_type", "num_attention_heads", "pos_att_type",
        "position_biased_input", "position_buckets", "relative_attention", "share_att_key",
      ],
      optionalFingerprintKeys: ["norm_rel_ebd", "max_position_embeddings"],
      heads: [.tagging, .questionAnswering],
      tokenizer: TokenizerForm(kind: .unigrams, className: "DebertaV2Tokenizer"))
    family.parts = ["embeddings", "encoder"]
    family.layers.linear[.query] = "attention.self.query_proj"
    family.layers.linear[.key] = "attention.self.key_proj"
    family.layers.linear[.value] = "attention.self.value_proj"
    return family
  }()
}
