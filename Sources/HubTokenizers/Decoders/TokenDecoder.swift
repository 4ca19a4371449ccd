import HubWords

/// Joins tokens to text.
protocol TokenDecoder: Sendable {
  func decode(_ tokens: [String]) -> String
}

extension TokenizerFile {
  /// The decoder that `decoder` in tokenizer.json describes.
  static func decoder(_ json: JSONObject) throws -> any TokenDecoder {
    switch try json.string("type") {
    case "WordPiece": try WordPieceDecoder(json)
    case "ByteLevel": ByteLevelDecoder()
    case "Metaspace": MetaspaceDecoder(metaspace: try Metaspace(json))
    case let type: throw unsupported("decoder", type, in: json)
    }
  }
}

/// No decoder: tokens with spaces between.
struct SpacedTokens: TokenDecoder {
  func decode(_ tokens: [String]) -> String { tokens.joined(separator: " ") }
}
