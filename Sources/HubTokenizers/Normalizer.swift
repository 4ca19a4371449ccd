public import HubManifest

/// Makes text uniform before it is cut: drops, replaces and inserts characters, and keeps track of their places.
protocol Normalizer: Sendable {
  func normalize(_ text: AlignedText) -> AlignedText
}

extension Failure.Code {
  /// A tokenizer asks for a model, normaliser, pre-tokeniser, post-processor or decoder that Dovetail does not have.
  public static let unsupportedTokenizer = Self("tokenizer/unsupported", .badData)
}

extension TokenizerFile {
  /// The normaliser that `normalizer` in tokenizer.json describes.
  static func normalizer(_ json: JSONObject) throws -> any Normalizer {
    switch try json.string("type") {
    case "BertNormalizer": try BertNormalizer(json)
    case let type: throw unsupported("normaliser", type, in: json)
    }
  }

  static func unsupported(_ part: String, _ type: String, in json: JSONObject) -> Failure {
    Failure(.unsupportedTokenizer, "the \(part) \(type.debugDescription) is not supported", at: json.path(to: "type"))
  }
}
