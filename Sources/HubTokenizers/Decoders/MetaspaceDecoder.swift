/// Joins SentencePiece's tokens: their marks are spaces, but not those of the first token if a mark was put before it.
struct MetaspaceDecoder: TokenDecoder {
  let metaspace: Metaspace

  func parts(_ tokens: [String]) -> [String] {
    tokens.enumerated().map { index, token in
      var text = String.UnicodeScalarView()
      for scalar in token.unicodeScalars {
        if scalar != metaspace.replacement {
          text.append(scalar)
        } else if index > 0 || metaspace.prepending == .never {
          text.append(" ")
        }
      }
      return String(text)
    }
  }
}
