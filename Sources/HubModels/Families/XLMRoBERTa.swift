import HubWords

extension ModelFamily {
  /// XLM-R (Conneau et al. 2020): RoBERTa in a hundred languages.
  public static let xlmRoberta: ModelFamily = {
    var family = roberta
    family.modelType = "xlm-roberta"
    family.className = "XLMRoberta"
    family.defaults = family.defaults.with(["vocab_size": 30_522])
    family.tokenizer = TokenizerForm(kind: .unigrams, className: "XLMRobertaTokenizer")
    return family
  }()
}
