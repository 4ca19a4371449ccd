public import HubManifest
public import HubTensor

/// BERT (Devlin et al. 2019), with Hugging Face's tensor names.
public struct BERT: BaseModel {
  public static let modelTypes = ["bert"]
  public static let prefix = "bert"

  public static func weightName(at site: Site) -> String? { PostNormLayer.Names().weightName(at: site) }

  private let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration), from: weights)
  }

  public var shape: BaseShape { encoder.shape }
  public var maximumLength: Int { encoder.configuration.maximumPositions }

  /// Positions count from 0 in each sequence.
  public func callAsFunction(_ tokens: TokenBatch, with adapters: some Interventions, in context: Context) throws -> Tensor {
    try encoder(tokens, positionIDs: tokens.positions, typeIDs: tokens.typeIDs, with: adapters, in: context)
  }

  public func pooled(_ hidden: Tensor, _ sequences: Sequences, in context: Context) -> Tensor? { encoder.pooled(hidden, sequences, in: context) }
  public var matrices: [Parameter] { encoder.matrices }
}
