public import HubModels
public import HubWords

/// X-MOD (Pfeiffer et al. 2022): XLM-R trained with a bottleneck for each language in it.
///
/// As in the Python library, those that a checkpoint has built in are left out, and languages are adapters as any
/// others. The last norm of a layer is applied after its adapters, too: without a language, a layer normalises twice.
public struct XMOD: PostNormModel {
  public static let families: [ModelFamily] = [.xmod]

  public let encoder: PostNormEncoder

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    guard try configuration.optionalBool("pre_norm") != true else {
      throw Failure(.unsupportedModel, "X-MOD with norms before the sublayers is not supported", at: "pre_norm")
    }
    encoder = try PostNormEncoder(
      EncoderConfiguration(configuration, of: family), family.layers, from: weights, normalizesAgain: true)
  }

  public var maximumLength: Int { encoder.configuration.maximumPositions - encoder.configuration.paddingID - 1 }
  public func positions(of tokens: TokenBatch) -> [Int] { tokens.positions(after: encoder.configuration.paddingID) }
  public func types(of tokens: TokenBatch) -> [Int] { tokens.ids.map { _ in 0 } }
}
