public import HubModels
public import HubWords
import HubTensor

/// RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020): BERT with one token type, and with positions that count
/// from after the padding id.
public struct RoBERTa: PostNormModel {
  public static let families: [ModelFamily] = [.roberta, .xlmRoberta]

  public let encoder: PostNormEncoder

  public init(_ family: ModelFamily, configuration: JSONObject, weights: ParameterSource) throws {
    encoder = try PostNormEncoder(EncoderConfiguration(configuration, of: family), family.layers, from: weights)
  }

  public var maximumLength: Int { encoder.configuration.maximumPositions - encoder.configuration.paddingID - 1 }
  public func positions(of tokens: TokenBatch) -> [Int] { tokens.positions(after: encoder.configuration.paddingID) }
  public func types(of tokens: TokenBatch) -> [Int] { tokens.ids.map { _ in 0 } }
}

extension TokenBatch {
  /// The first token has the position `padding + 1`; a padding token within the text has the padding id itself and does
  /// not count.
  func positions(after padding: Int) -> [Int] {
    (0..<sequences.count).flatMap { sequence in
      var counted = 0
      return ids[sequences[sequence]].map { id in
        if id == padding { return padding }
        counted += 1
        return padding + counted
      }
    }
  }
}
