import HubWords

extension ModelFamily {
  /// ELECTRA (Clark et al. 2020): BERT whose embeddings may be narrower than its layers.
  public static let electra = ModelFamily(
    modelType: "electra", className: "Electra", prefix: "electra",
    defaults: bert.defaults.with([
      "embedding_size": 128, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024,
    ]),
    parts: ["embeddings", "embeddings_project", "encoder"],
    heads: [
      .classification("gelu"), .tagging, .questionAnswering,
      .maskedWords(
        dense: "generator_predictions.dense.", norm: "generator_predictions.LayerNorm.", decoder: "generator_lm_head."),
    ],
    tokenizer: TokenizerForm(kind: .wordPieces, className: "ElectraTokenizer"))
}
