import HubWords

/// Takes a character away from both ends of each part, up to a number of times.
struct StripDecoder: TokenDecoder {
  let scalar: Unicode.Scalar
  let start, stop: Int

  func parts(_ tokens: [String]) -> [String] {
    tokens.map { token in
      let scalars = Array(token.unicodeScalars)
      let first = scalars.prefix(start).prefix { $0 == scalar }.count
      let last = scalars.dropFirst(first).suffix(stop).reversed().prefix { $0 == scalar }.count
      return String(String.UnicodeScalarView(scalars[first..<scalars.count - last]))
    }
  }
}

extension StripDecoder {
  /// Reads `decoder` of tokenizer.json.
  init(_ json: JSONObject) throws {
    let content = try json.string("content")
    guard let scalar = content.unicodeScalars.first, content.unicodeScalars.count == 1 else {
      throw Failure(.unexpectedJSON, "expected one character", at: json.path(to: "content"))
    }
    let counts = [try json.integer("start"), try json.integer("stop")]
    guard counts.allSatisfy({ $0 >= 0 }) else {
      throw Failure(.unexpectedJSON, "expected numbers of characters", at: json.path(to: "start"))
    }
    self.init(scalar: scalar, start: counts[0], stop: counts[1])
  }
}
