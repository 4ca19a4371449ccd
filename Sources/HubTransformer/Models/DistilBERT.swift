public import HubManifest
public import HubTensor

/// DistilBERT (Sanh et al. 2019): BERT without token types and without a pooler, under names of its own.
public struct DistilBERT: BaseModel {
  public static let modelTypes = ["distilbert"]
  public static let prefix = "distilbert"

  private static let names = PostNormLayer.Names(
    layers: "transformer.layer", query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin", attentionOutput: "attention.out_lin",
    attentionNorm: "sa_layer_norm", intermediate: "ffn.lin1", output: "ffn.lin2", outputNorm: "output_layer_norm")

  public static func weightName(at site: Site) -> String? { names.weightName(at: site) }

  private let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    let keys = EncoderConfiguration.Keys(
      hiddenSize: "dim", layers: "n_layers", heads: "n_heads", intermediateSize: "hidden_dim", activation: "activation", hasTypes: false)
    encoder = try PostNormEncoder(EncoderConfiguration(configuration, keys), from: weights, names: Self.names)
  }

  public var shape: BaseShape { encoder.shape }
  public var maximumLength: Int { encoder.configuration.maximumPositions }

  /// Positions count from 0 in each sequence; the second text of a pair looks like the first.
  public func callAsFunction(_ tokens: TokenBatch, with adapters: some Interventions, in context: Context) throws -> Tensor {
    try encoder(tokens, positionIDs: tokens.positions, typeIDs: tokens.typeIDs, with: adapters, in: context)
  }

  public func pooled(_ hidden: Tensor, _ sequences: Sequences, in context: Context) -> Tensor? { nil }
  public var matrices: [Parameter] { encoder.matrices }
}
