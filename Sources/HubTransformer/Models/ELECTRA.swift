public import HubManifest

/// ELECTRA (Clark et al. 2020): BERT whose embeddings may be narrower than its layers, and which has no pooler. Adapters of
/// the embeddings act before they are widened.
public struct ELECTRA: PostNormModel {
  public static let modelTypes = ["electra"]
  public static let prefix = "electra"

  public let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration), from: weights)
  }
}
