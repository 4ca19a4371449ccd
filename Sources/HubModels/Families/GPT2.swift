import HubWords

extension ModelFamily {
  /// GPT-2 (Radford et al. 2019). Its linear layers are stored as `[in, out]`, and the three of the attention as one.
  public static let gpt2 = ModelFamily(
    modelType: "gpt2", className: "GPT2", prefix: "transformer",
    keys: ConfigurationKeys(
      hiddenSize: "n_embd", layers: "n_layer", heads: "n_head", intermediateSize: "n_inner",
      activation: "activation_function", tokenTypes: nil, positions: "n_positions", normEpsilon: "layer_norm_epsilon"),
    defaults: [
      "vocab_size": 50_257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": .null,
      "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "scale_attn_weights": true,
      "scale_attn_by_inverse_layer_idx": false, "tie_word_embeddings": true,
    ],
    fingerprintKeys: [
      "activation_function", "layer_norm_epsilon", "model_type", "n_head", "scale_attn_by_inverse_layer_idx",
      "scale_attn_weights",
    ],
    optionalFingerprintKeys: [],
    parts: ["wte", "wpe", "h", "ln_f"],
    idleTensors: ["h.#.attn.bias", "h.#.attn.masked_bias"],
    layers: LayerModules(
      list: "h",
      linear: [
        .query: "attn.c_attn.query", .key: "attn.c_attn.key", .value: "attn.c_attn.value",
        .attentionOutput: "attn.c_proj", .intermediate: "mlp.c_fc", .output: "mlp.c_proj",
      ],
      norms: [.attention: "ln_1", .feedForward: "ln_2"],
      joined: LayerModules.JoinedModules(path: "attn.c_attn", places: [.query, .key, .value])),
    wordEmbeddings: "wte",
    adapterHub: AdapterHubModules(
      sublayers: [.attention: "attention_adapters", .feedForward: "output_adapters"], prefixTuning: "attn.prefix_tuning"
    ),
    heads: [.lastTokenClassification, .causalWords],
    tokenizer: TokenizerForm(kind: .bytePairs, className: "GPT2Tokenizer"))
}
