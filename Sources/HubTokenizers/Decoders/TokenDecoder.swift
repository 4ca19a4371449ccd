import HubWords

/// Joins tokens to text.
protocol TokenDecoder: Sendable {
  /// What the tokens stand for, to be joined or decoded further: one part for each, or fewer.
  func parts(_ tokens: [String]) -> [String]
  /// The bytes that a token adds to a text.
  ///
  /// - Parameter isFirst: whether the text begins with it
  func bytes(of token: String, isFirst: Bool) -> [UInt8]
}

extension TokenDecoder {
  func decode(_ tokens: [String]) -> String { parts(tokens).joined() }

  func bytes(of token: String, isFirst: Bool) -> [UInt8] { bytesBySubtraction(token, isFirst: isFirst) }

  /// What a text has more with the token than without.
  func bytesBySubtraction(_ token: String, isFirst: Bool) -> [UInt8] {
    let before = isFirst ? [] : ["a"]
    return Array(decode(before + [token]).utf8.dropFirst(decode(before).utf8.count))
  }
}

extension TokenizerFile {
  /// The decoder that `decoder` in tokenizer.json describes.
  static func decoder(_ json: JSONObject) throws -> any TokenDecoder {
    switch try json.string("type") {
    case "WordPiece": try WordPieceDecoder(json)
    case "ByteLevel": ByteLevelDecoder()
    case "Metaspace": MetaspaceDecoder(metaspace: try Metaspace(json))
    case "ByteFallback": ByteFallbackDecoder()
    case "Fuse": FuseDecoder()
    case "Strip": try StripDecoder(json)
    case "Replace": try ReplaceDecoder(json)
    case "Sequence": DecoderSequence(decoders: try parts(of: json, "decoders").map(decoder))
    case let type: throw unsupported("decoder", type, in: json)
    }
  }
}

/// No decoder: tokens with spaces between.
struct SpacedTokens: TokenDecoder {
  func parts(_ tokens: [String]) -> [String] { tokens.enumerated().map { $0 > 0 ? " " + $1 : $1 } }
}

/// One decoder after the other.
struct DecoderSequence: TokenDecoder {
  let decoders: [any TokenDecoder]

  func parts(_ tokens: [String]) -> [String] { decoders.reduce(tokens) { $1.parts($0) } }

  func bytes(of token: String, isFirst: Bool) -> [UInt8] {
    // The text around a byte decides whether it is shown; the byte is the same.
    if decoders.contains(where: { $0 is ByteFallbackDecoder }), let byte = ByteFallbackDecoder.byte(token) {
      return [byte]
    }
    if decoders.contains(where: { $0 is ByteLevelDecoder }) {
      return ByteLevelDecoder().bytes(of: token, isFirst: isFirst)
    }
    return bytesBySubtraction(token, isFirst: isFirst)
  }
}
