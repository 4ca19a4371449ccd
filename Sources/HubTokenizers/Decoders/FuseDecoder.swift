/// Makes one part of all.
struct FuseDecoder: TokenDecoder {
  func parts(_ tokens: [String]) -> [String] { [tokens.joined()] }
}
