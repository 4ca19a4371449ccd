import HubWords

extension ModelFamily {
  /// LLaMA (Touvron et al. 2023) and what shares its layers: RMS norms before the sublayers, rotary positions, grouped
  /// queries and a gated feed-forward block.
  public static let llama = ModelFamily(
    modelType: "llama", className: "Llama", prefix: "model",
    keys: ConfigurationKeys(tokenTypes: nil, normEpsilon: "rms_norm_eps"),
    defaults: [
      "vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 11_008, "num_hidden_layers": 32,
      "num_attention_heads": 32, "num_key_value_heads": .null, "head_dim": .null, "hidden_act": "silu",
      "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "rope_theta": 10_000, "rope_scaling": .null,
      "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
    ],
    fingerprintKeys: [
      "head_dim", "hidden_act", "model_type", "num_attention_heads", "num_key_value_heads", "rms_norm_eps",
      "rope_scaling", "rope_theta",
    ],
    optionalFingerprintKeys: ["max_position_embeddings", "sliding_window", "use_sliding_window", "max_window_layers"],
    parts: ["embed_tokens", "layers", "norm"],
    idleTensors: ["layers.#.self_attn.rotary_emb.inv_freq"],
    layers: LayerModules(
      list: "layers",
      linear: [
        .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
        .attentionOutput: "self_attn.o_proj", .gate: "mlp.gate_proj", .intermediate: "mlp.up_proj",
        .output: "mlp.down_proj",
      ],
      norms: [.attention: "input_layernorm", .feedForward: "post_attention_layernorm"]),
    wordEmbeddings: "embed_tokens",
    adapterHub: AdapterHubModules(
      sublayers: [.attention: "attention_adapters", .feedForward: "output_adapters"],
      prefixTuning: "self_attn.prefix_tuning", exchangesFeedForward: true),
    heads: [.lastTokenClassification, .causalWords],
    tokenizer: TokenizerForm(kind: .bytePairs, className: "LlamaTokenizer"))

  /// Mistral (Jiang et al. 2023): LLaMA with a sliding window.
  public static let mistral: ModelFamily = {
    var family = llama
    family.modelType = "mistral"
    family.className = "Mistral"
    family.defaults = family.defaults.with([
      "intermediate_size": 14_336, "num_key_value_heads": 8, "max_position_embeddings": 131_072,
      "sliding_window": 4096,
    ])
    return family
  }()

  /// Qwen2 (Yang et al. 2024): LLaMA with biases in the projections of queries, keys and values.
  public static let qwen2: ModelFamily = {
    var family = llama
    family.modelType = "qwen2"
    family.className = "Qwen2"
    family.defaults = family.defaults.with([
      "vocab_size": 151_936, "intermediate_size": 22_016, "num_key_value_heads": 32,
      "max_position_embeddings": 32_768, "use_sliding_window": false, "sliding_window": 4096, "max_window_layers": 28,
    ])
    family.tokenizer.className = "Qwen2Tokenizer"
    return family
  }()
}
