public import HubManifest
public import HubTensor

/// ELECTRA (Clark et al. 2020): BERT whose embeddings may be narrower than its layers, and which has no pooler. Adapters of
/// the embeddings act before they are widened.
public struct ELECTRA: BaseModel {
  public static let modelTypes = ["electra"]
  public static let prefix = "electra"

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

  public func pooled(_ hidden: Tensor, _ sequences: Sequences, in context: Context) -> Tensor? { nil }
  public var matrices: [Parameter] { encoder.matrices }
}
