import HubWords

extension ModelFamily {
  /// DistilBERT (Sanh et al. 2019): BERT without token types and without a pooler, under names of its own.
  public static let distilbert = ModelFamily(
    modelType: "distilbert", className: "DistilBert", prefix: "distilbert",
    keys: ConfigurationKeys(
      hiddenSize: "dim", layers: "n_layers", heads: "n_heads", intermediateSize: "hidden_dim",
      activation: "activation", dropout: "dropout", dropsAttention: false, tokenTypes: nil),
    defaults: [
      "vocab_size": 30_522, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072, "activation": "gelu",
      "max_position_embeddings": 512, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    ],
    parts: ["embeddings", "transformer"],
    layers: LayerModules(
      list: "transformer.layer",
      linear: [
        .query: "attention.q_lin", .key: "attention.k_lin", .value: "attention.v_lin",
        .attentionOutput: "attention.out_lin", .intermediate: "ffn.lin1", .output: "ffn.lin2",
      ],
      norms: [.attention: "sa_layer_norm", .feedForward: "output_layer_norm"]),
    adapterHub: AdapterHubModules(
      sublayers: [.attention: "attention_adapters", .feedForward: "output_adapters"],
      prefixTuning: "attention.prefix_tuning", selfPrefix: "self"),
    heads: [
      .classification(dense: "pre_classifier.", "relu", output: "classifier."), .tagging, .questionAnswering,
      .maskedWords(dense: "vocab_transform.", norm: "vocab_layer_norm.", decoder: "vocab_projector."),
    ],
    tokenizer: TokenizerForm(kind: .wordPieces, className: "DistilBertTokenizer"))
}
