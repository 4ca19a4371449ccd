/// Joins SentencePiece's tokens: their marks are spaces, but not those of the first token if a mark was put before it.
struct MetaspaceDecoder: TokenDecoder {
  let metaspace: Metaspace

  func decode(_ tokens: [String]) -> String {
    var text = String.UnicodeScalarView()
    for (index, token) in tokens.enumerated() {
      for scalar in token.unicodeScalars {
        if scalar != metaspace.replacement {
          text.append(scalar)
        } else if index > 0 || metaspace.prepending == .never {
          text.append(" ")
        }
      }
    }
    return String(text)
  }
}
