import HubWords

extension ModelFamily {
  /// BERT (Devlin et al. 2019).
  public static let bert = ModelFamily(
    modelType: "bert", className: "Bert", prefix: "bert",
    defaults: [
      "vocab_size": 30_522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
      "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
      "layer_norm_eps": 1e-12, "pad_token_id": 0, "position_embedding_type": "absolute",
    ],
    heads: [
      .pooledClassification, .tagging, .questionAnswering,
      .maskedWords(
        dense: "cls.predictions.transform.dense.", norm: "cls.predictions.transform.LayerNorm.",
        decoder: "cls.predictions.decoder.", bias: "cls.predictions.bias"),
    ],
    tokenizer: TokenizerForm(kind: .wordPieces, className: "BertTokenizer"))
}
