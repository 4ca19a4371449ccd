public import HubManifest

/// DistilBERT (Sanh et al. 2019): BERT without token types and without a pooler, under names of its own. The second text of
/// a pair looks like the first.
public struct DistilBERT: PostNormModel {
  public static let modelTypes = ["distilbert"]
  public static let prefix = "distilbert"

  public static let names = PostNormLayer.Names(
    layers: "transformer.layer", query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin",
    attentionOutput: "attention.out_lin",
    attentionNorm: "sa_layer_norm", intermediate: "ffn.lin1", output: "ffn.lin2", outputNorm: "output_layer_norm")

  public let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    let keys = EncoderConfiguration.Keys(
      hiddenSize: "dim", layers: "n_layers", heads: "n_heads", intermediateSize: "hidden_dim", activation: "activation",
      hasTypes: false)
    encoder = try PostNormEncoder(EncoderConfiguration(configuration, keys), from: weights, names: Self.names)
  }
}
