public import HubManifest
public import HubTensor

/// RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020): BERT with positions that count from behind the padding id.
public struct RoBERTa: BaseModel {
  public static let modelTypes = ["roberta", "xlm-roberta"]
  public static let prefix = "roberta"

  public static func weightName(at site: Site) -> String? { PostNormLayer.Names().weightName(at: site) }

  private let encoder: PostNormEncoder

  public init(configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration), from: weights)
  }

  public var shape: BaseShape { encoder.shape }
  public var maximumLength: Int { encoder.configuration.maximumPositions - encoder.configuration.paddingID - 1 }

  /// The first token has the position `padding id + 1`; a padding token within the text has the padding id itself
  /// and does not count. There is one token type.
  public func callAsFunction(_ tokens: TokenBatch, with adapters: some Interventions, in context: Context) throws -> Tensor {
    try encoder(
      tokens, positionIDs: Self.positions(tokens, padding: encoder.configuration.paddingID), typeIDs: tokens.ids.map { _ in 0 }, with: adapters,
      in: context)
  }

  public func pooled(_ hidden: Tensor, _ sequences: Sequences, in context: Context) -> Tensor? { encoder.pooled(hidden, sequences, in: context) }
  public var matrices: [Parameter] { encoder.matrices }

  static func positions(_ tokens: TokenBatch, padding: Int) -> [Int] {
    (0..<tokens.sequences.count).flatMap { sequence in
      var counted = 0
      return tokens.ids[tokens.sequences[sequence]].map { id in
        if id == padding { return padding }
        counted += 1
        return padding + counted
      }
    }
  }
}
