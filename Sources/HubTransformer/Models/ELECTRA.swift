public import HubModels
public import HubWords

/// ELECTRA (Clark et al. 2020): BERT whose embeddings may be narrower than its layers, and which has no pooler.
/// Adapters of the embeddings act before they are widened.
public struct ELECTRA: PostNormModel {
  public static let families: [ModelFamily] = [.electra]

  public let encoder: PostNormEncoder

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration, of: family), family.layers, from: weights)
  }
}
