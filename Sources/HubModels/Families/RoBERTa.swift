import HubWords

extension ModelFamily {
  /// RoBERTa (Liu et al. 2019).
  public static let roberta = ModelFamily(
    modelType: "roberta", className: "Roberta", prefix: "roberta",
    defaults: bert.defaults.with(["vocab_size": 50_265, "pad_token_id": 1]),
    heads: [
      .classification("tanh"), .tagging, .questionAnswering,
      .maskedWords(
        dense: "lm_head.dense.", norm: "lm_head.layer_norm.", decoder: "lm_head.decoder.", bias: "lm_head.bias"),
    ],
    tokenizer: TokenizerForm(kind: .bytePairs, className: "RobertaTokenizer"))
}
