/// Something that reads what strangers wrote.
struct Parser {
  let name: String
  /// Whether it takes a folder, and not a file.
  let isFolder: Bool
  /// What its format is made of, which libFuzzer puts in.
  let words: [String]
  /// Makes lengths and checksums right again, so that mutations come through to what lies behind them.
  let repair: @Sendable (Input) -> Input
  let parse: @Sendable (_ input: Input, _ folder: String) throws -> Void

  init(
    _ name: String, words: [String], repair: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 },
    file: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    (self.name, self.words, isFolder) = (name, words, false)
    self.repair = { input in
      var input = input
      input.files[0].bytes = repair(input.files[0].bytes)
      return input
    }
    parse = { input, _ in try file(input.files[0].bytes) }
  }

  init(
    _ name: String, words: [String], repair: @escaping @Sendable (Input) -> Input,
    folder: @escaping @Sendable (String) throws -> Void
  ) {
    (self.name, self.words, self.repair, isFolder) = (name, words, repair, true)
    parse = { _, path in try folder(path) }
  }
}
