public import HubWords

/// What a kind of base model is on paper: what its `config.json` means, what its modules are called, and how the Python
/// libraries spell what they add to it. One file under `Families/`, one line in ``ModelFamilies``.
///
/// Nobody else compares the names of model types.
public struct ModelFamily: Sendable {
  /// The value of `model_type` in `config.json`.
  public var modelType: String
  /// What the names of Hugging Face's classes begin with: `Bert` in `BertForMaskedLM`.
  public var className: String
  /// What checkpoints with a head put before the names of the model's own tensors.
  public var prefix: String
  /// What `config.json` calls the sizes.
  public var keys = ConfigurationKeys()
  /// What `config.json` means where it does not say it: the defaults of Hugging Face's configuration class.
  public var defaults: JSON.Members
  /// The keys of `config.json` that change what the model computes and that no tensor's shape tells.
  public var fingerprintKeys = [
    "hidden_act", "layer_norm_eps", "model_type", "num_attention_heads", "pad_token_id", "position_embedding_type",
  ]
  /// Those that only some files of the family have.
  public var optionalFingerprintKeys = ["activation", "n_heads"]
  /// The modules that a model consists of. Everything else in a checkpoint belongs to a head or is a buffer.
  public var parts = ["embeddings", "encoder", "pooler"]
  /// Names of tensors, without the prefix, that some files hold and that say nothing: buffers, and copies of what is
  /// tied. `#` stands for a number.
  public var idleTensors: Set<String> = ["embeddings.position_ids"]
  /// What the modules of a layer are called; of an encoder's layer, where there is a decoder.
  public var layers = LayerModules()
  /// What those of a decoder are called that reads an encoder's states.
  public var decoderLayers: LayerModules?
  /// What is called otherwise in models that `config.json` describes so.
  public var variant: (@Sendable (inout ModelFamily, JSONObject) -> Void)?
  /// The table of word embeddings.
  public var wordEmbeddings = "embeddings.word_embeddings"
  /// What AdapterHub's library calls the modules that it adds.
  public var adapterHub = AdapterHubModules()
  /// The heads of Hugging Face's classes.
  public var heads: [HeadForm]
  /// How its texts are cut into tokens.
  public var tokenizer: TokenizerForm

  /// What `config.json` calls sizes and options.
  public struct ConfigurationKeys: Sendable {
    /// The width of the hidden states.
    public var hiddenSize = "hidden_size"
    /// The number of layers.
    public var layers = "num_hidden_layers"
    /// The number of attention heads.
    public var heads = "num_attention_heads"
    /// The width inside the feed-forward block.
    public var intermediateSize = "intermediate_size"
    /// The non-linearity of the feed-forward block.
    public var activation = "hidden_act"
    /// The rate at which training drops what embeddings and sublayers give.
    public var dropout = "hidden_dropout_prob"
    /// Whether that is also what the attention gives.
    public var dropsAttention = true
    /// `nil` for a model without token types.
    public var tokenTypes: String? = "type_vocab_size"
    /// The longest text.
    public var positions = "max_position_embeddings"
    /// What is added to the variance in norms.
    public var normEpsilon = "layer_norm_eps"
  }

  /// How the Python library `adapters` spells what it adds to a layer.
  public struct AdapterHubModules: Sendable {
    /// The modules that hold the adapters and the fusions of a sublayer.
    public var sublayers: [Site.Place: String] = [.attention: "attention.output", .feedForward: "output"]
    /// The module that holds the prefixes of a layer's attention.
    public var prefixTuning = "attention.self.prefix_tuning"
    /// The key that a prefix of the self-attention has.
    public var selfPrefix = "self_prefix"
    /// Where the modules stand that belong to the whole model, such as an invertible adapter.
    public var embeddings = ""
    /// The linear layers that the library's options have other names for than ours: LLaMA's are exchanged.
    public var exchangesFeedForward = false
    /// The same of a decoder that reads an encoder's states.
    public var decoderSublayers: [Site.Place: String] = [:]
    /// The modules that hold the prefixes of a decoder's two attentions.
    public var decoderPrefixes: [Site.Place: String] = [:]
  }

  /// The vocabulary that a family's texts are cut with.
  public struct TokenizerForm: Sendable {
    /// The algorithms that cut words into tokens.
    public enum Kind: Sendable {
      case wordPieces, bytePairs, unigrams
    }

    /// Which algorithm it is.
    public var kind: Kind
    /// Hugging Face's class, without `Fast`.
    public var className: String
  }

  /// A `config.json` with everything that it leaves out.
  public func completed(_ configuration: JSONObject) -> JSONObject {
    JSONObject(defaults.with(configuration.members), path: configuration.path)
  }

  /// The name that a checkpoint's tensor has within its model; `nil` if it belongs to a head or is a buffer.
  /// Old checkpoints call a layer norm's gain `gamma` and its bias `beta`.
  ///
  /// - Parameter isPrefixed: whether the checkpoint's names begin with ``prefix``
  public func name(ofTensor stored: String, isPrefixed: Bool) -> String? {
    guard let name = isPrefixed ? stored.after(prefix + ".") : stored,
      parts.contains(where: { name.hasPrefix($0 + ".") }), !name.contains(".adapter_modules."), !isIdle(name)
    else { return nil }
    for (old, new) in [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")]
    where name.hasSuffix(old) {
      return name.dropLast(old.count) + new
    }
    return name
  }

  /// Whether a tensor of the model's modules says nothing.
  public func isIdle(_ name: String) -> Bool {
    !idleTensors.isEmpty
      && idleTensors.contains(
        name.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) == nil ? String($0) : "#" }
          .joined(separator: "."))
  }

  /// The path of a linear layer within the model; `nil` where the family has none.
  ///
  /// - Parameter encoderLayers: how many layers come before a decoder's
  public func path(at site: Site, encoderLayers: Int?) -> String? {
    guard let decoderLayers, let encoderLayers, site.layer >= encoderLayers else { return layers.path(at: site) }
    return decoderLayers.path(at: Site(site.layer - encoderLayers, site.place))
  }

  /// How many layers an encoder has before a decoder's, if these are names of all tensors of a model; `nil` for a
  /// single stack.
  public func encoderLayers(naming names: some Sequence<String>) -> Int? {
    guard decoderLayers != nil else { return nil }
    return (names.compactMap { layers.splitLayer($0)?.layer }.max() ?? -1) + 1
  }

  /// The family with what this `config.json` makes of it.
  public func specialized(for configuration: JSONObject) -> ModelFamily {
    guard let variant else { return self }
    var family = self
    variant(&family, completed(configuration))
    return family
  }

  /// A tensor's or module's name without ``prefix``, whether it had it or not.
  public func unprefixed(_ name: String) -> String { name.after(prefix + ".") ?? name }

  /// The head of a class, such as `BertForTokenClassification`; `nil` if the family has no such class.
  public func head(ofClass name: String) -> HeadForm? {
    name.after(className).flatMap { task in heads.first { $0.tasks.contains(task) } }
  }

  /// The form of a head with this configuration; `nil` if no class of the family has one.
  public func head(like configuration: JSON.Members) -> HeadForm? { heads.first { $0.matches(configuration) } }
}

/// The families that Dovetail knows.
public enum ModelFamilies {
  /// The families, in the order in which names of tensors are compared with them.
  public static let all: [ModelFamily] = [
    .bert, .roberta, .xlmRoberta, .xmod, .electra, .distilbert, .debertaV2, .gpt2, .llama, .mistral, .qwen2, .t5, .mt5,
    .bart, .mbart, .marian,
  ]

  /// The family of a `model_type`; `nil` if it is unknown.
  public static func family(of modelType: String) -> ModelFamily? { all.first { $0.modelType == modelType } }

  /// The families whose modules these names of tensors name: by the modules of layers, and by a prefix where one stands
  /// before them.
  public static func families(naming names: [String]) -> [ModelFamily] {
    let prefixed = all.filter { family in names.contains { $0.hasPrefix(family.prefix + ".") } }
    let matching = (prefixed.isEmpty ? all : prefixed).filter { family in
      names.map(family.unprefixed).contains { name in
        family.layers.splitLayer(name) != nil || family.decoderLayers?.splitLayer(name) != nil
      }
    }
    return matching.isEmpty ? prefixed : matching
  }

  /// A tensor's or module's name without the prefix of any family.
  public static func unprefixed(_ name: String) -> String {
    all.lazy.compactMap { name.after($0.prefix + ".") }.first ?? name
  }

  /// The classes of tokenizers that cut texts in one way.
  public static func tokenizerClasses(_ kind: ModelFamily.TokenizerForm.Kind) -> [String] {
    all.map(\.tokenizer).filter { $0.kind == kind }.map(\.className)
  }
}
