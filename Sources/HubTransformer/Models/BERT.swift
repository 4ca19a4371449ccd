public import HubModels
public import HubWords

/// BERT (Devlin et al. 2019), with Hugging Face's tensor names.
public struct BERT: PostNormModel {
  public static let families: [ModelFamily] = [.bert]

  public let encoder: PostNormEncoder

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration, of: family), family.layers, from: weights)
  }
}
