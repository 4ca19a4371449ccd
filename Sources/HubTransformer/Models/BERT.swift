public import HubManifest

/// BERT (Devlin et al. 2019), with Hugging Face's tensor names.
public struct BERT: PostNormModel {
  public static let modelTypes = ["bert"]
  public static let prefix = "bert"

  public let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration), from: weights)
  }
}
