public import HubWords

/// Makes text uniform before it is cut: drops, replaces and inserts characters, and keeps track of their places.
protocol Normalizer: Sendable {
  func normalize(_ text: AlignedText) throws -> AlignedText
}

extension Normalizer {
  /// What becomes of a text, if that does not grow beyond all measure.
  ///
  /// - Parameter count: the bytes that were given to begin with; those of `text` if `nil`
  /// - Throws: ``Failure`` with ``Failure/Code/excessiveText``.
  func bounded(_ text: AlignedText, from count: Int? = nil) throws -> AlignedText {
    let (before, after) = (count ?? text.count, try normalize(text))
    guard after.count <= InputLimits.textGrowth * before + InputLimits.tokenBytes else {
      throw Failure(.excessiveText, "the tokenizer makes a text of \(before) bytes grow to \(after.count)")
    }
    return after
  }
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
    case "Precompiled": try Precompiled(json)
    case "Replace": try Replace(json)
    case "Strip": try Strip(json)
    case "Lowercase": Lowercase()
    case "StripAccents": StripAccents()
    case "Prepend": try Prepend(json)
    case "Sequence": try NormalizerSequence(parts: parts(of: json, "normalizers").map(normalizer))
    case let type:
      if let form = UnicodeForm(rawValue: type) { form } else { throw unsupported("normaliser", type, in: json) }
    }
  }

  /// What a sequence consists of; sequences in it are not allowed.
  static func parts(of json: JSONObject, _ key: String) throws -> [JSONObject] {
    let parts = try json.array(key)
    guard parts.count <= InputLimits.tokenizerParts else {
      throw Failure(
        .excessiveTokenizer, "a sequence has \(parts.count) parts, which is too many", at: json.path(to: key))
    }
    return try parts.enumerated().map { index, part in
      let part = try JSONObject(part, path: "\(json.path(to: key))[\(index)]")
      guard try part.string("type") != "Sequence" else { throw unsupported("part of a sequence", "Sequence", in: part) }
      return part
    }
  }

  static func unsupported(_ part: String, _ type: String, in json: JSONObject) -> Failure {
    Failure(.unsupportedTokenizer, "the \(part) \(type.debugDescription) is not supported", at: json.path(to: "type"))
  }
}

/// One after the other.
struct NormalizerSequence: Normalizer {
  let parts: [any Normalizer]

  func normalize(_ text: AlignedText) throws -> AlignedText {
    try parts.reduce(text) { try $1.bounded($0, from: text.count) }
  }
}
