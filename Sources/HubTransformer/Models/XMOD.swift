public import HubManifest
public import HubTensor

/// X-MOD (Pfeiffer et al. 2022): XLM-R trained with a bottleneck for each language in it.
///
/// As in the Python library, those that a checkpoint has built in are left out, and languages are adapters as any others. The
/// last norm of a layer is applied behind its adapters, too: without a language, a layer normalises twice.
public struct XMOD: BaseModel {
  public static let modelTypes = ["xmod"]
  public static let prefix = "roberta"

  public static func weightName(at site: Site) -> String? { PostNormLayer.Names().weightName(at: site) }

  private let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    guard try configuration.optionalBool("pre_norm") != true else {
      throw Failure(.unsupportedModel, "X-MOD with norms before the sublayers is not supported", at: "pre_norm")
    }
    encoder = try PostNormEncoder(EncoderConfiguration(configuration), from: weights, normalizesAgain: true)
  }

  public var shape: BaseShape { encoder.shape }
  public var maximumLength: Int { encoder.configuration.maximumPositions - encoder.configuration.paddingID - 1 }

  /// Positions count as RoBERTa's.
  public func callAsFunction(_ tokens: TokenBatch, with adapters: some Interventions, in context: Context) throws -> Tensor {
    try encoder(
      tokens, positionIDs: RoBERTa.positions(tokens, padding: encoder.configuration.paddingID), typeIDs: tokens.ids.map { _ in 0 }, with: adapters,
      in: context)
  }

  public func pooled(_ hidden: Tensor, _ sequences: Sequences, in context: Context) -> Tensor? { encoder.pooled(hidden, sequences, in: context) }
  public var matrices: [Parameter] { encoder.matrices }
}
