public import HubModels
public import HubWords

/// DistilBERT (Sanh et al. 2019): BERT without token types and without a pooler, under names of its own. The second
/// text of a pair looks like the first.
public struct DistilBERT: PostNormModel {
  public static let families: [ModelFamily] = [.distilbert]

  public let encoder: PostNormEncoder

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(
      EncoderConfiguration(configuration, of: family), family.layers, from: weights)
  }
}
