import HubWords
import HubTokenizers
import Testing

import Glibc

/// One line of a golden file: a text, and what Hugging Face's `tokenizers` makes of it.
struct Golden {
  let name: String
  let text: String?
  let pair: String?
  let words: [String]?
  let maxLength: Int?
  let overlap: Int
  let json: JSONObject

  init(_ json: JSON) throws {
    self.json = try JSONObject(json)
    name = try self.json.string("id")
    text = try self.json.optionalString("text")
    pair = try self.json.optionalString("pair")
    words = try self.json.optionalStrings("words")
    maxLength = try self.json.optionalInteger("max_length")
    overlap = try self.json.optionalInteger("stride") ?? 0
  }

  /// All lines of a JSONL file.
  static func lines(_ path: String) throws -> [Golden] {
    try read(path).split(separator: UInt8(ascii: "\n")).map { line in
      try Golden(JSON(parsing: line, limits: .init(values: 1_000_000)))
    }
  }

  /// How an encoding differs from what is expected, key by key.
  func differences(from encoding: Encoding, _ tokenizer: any Tokenizer, expected: JSONObject? = nil) -> [String] {
    let expected = expected ?? json
    let sequences = encoding.sequences.map { JSON.integer($0.map(Int.init) ?? -1) }
    let actual: [(String, JSON)] = [
      ("ids", .array(encoding.ids.map { .integer(Int($0)) })),
      ("tokens", .array(tokens(encoding, tokenizer, expected: expected.members["tokens"]?.array ?? []))),
      ("offsets", .array(encoding.offsets.map { [.integer(Int($0.lowerBound)), .integer(Int($0.upperBound))] })),
      ("special_mask", .array(encoding.specialMask.map { .integer($0 ? 1 : 0) })),
      ("type_ids", .array(encoding.typeIDs.map { .integer(Int($0)) })),
      ("seq", .array(sequences)),
      ("word_ids", .array(encoding.wordIDs.map { $0.map { .integer(Int($0)) } ?? .null })),
      ("decoded", .string(tokenizer.decode(encoding.ids))),
    ]
    return actual.compactMap { key, value in
      guard let wanted = expected.members[key], !wanted.text().utf8.elementsEqual(value.text().utf8) else { return nil }
      return "\(name) \(key): \(value.text()), not \(wanted.text())"
    }
  }

  /// The tokens of an encoding. What Hugging Face calls the token is the text it stands for where a token is unknown,
  /// or one that takes white space; there the texts that are expected are.
  private func tokens(_ encoding: Encoding, _ tokenizer: any Tokenizer, expected: [JSON]) -> [JSON] {
    encoding.ids.enumerated().map { index, id in
      guard let token = tokenizer.token(id) else { return .null }
      guard expected.indices.contains(index), let text = expected[index].string else { return .string(token) }
      let isMask = id == tokenizer.specialIDs.mask && text.hasSuffix(token)
      return .string(id == tokenizer.specialIDs.unk || isMask ? text : token)
    }
  }

  /// How what the tokenizer makes of this line differs from what is expected.
  func differences(_ tokenizer: any Tokenizer) throws -> [String] {
    if let words { return differences(from: try tokenizer.encode(words: words, maxLength: maxLength), tokenizer) }
    return differences(from: try tokenizer.encode(text ?? "", pair: pair, maxLength: maxLength), tokenizer)
  }
}

/// Where files for tests are.
enum Files {
  /// The files that travel with the tests.
  static let fixtures = folder(of: #filePath) + "Fixtures/"

  /// The data that does not travel with the package, if it is here: `DOVETAIL_SHARED`, or `shared` beside the package.
  static let shared: String? = {
    let package = folder(of: #filePath) + "../../"
    let candidates = [getenv("DOVETAIL_SHARED").map { String(cString: $0) }, package + "../shared"]
    return candidates.compactMap(\.self).map { $0 + "/data/tokenizers/" }.first { access($0, F_OK) == 0 }
  }()

  /// Whether the shared data is here; says so if it is not.
  static let hasShared: Bool = {
    if shared == nil {
      print("SKIPPED: the full goldens of the tokenizers: set DOVETAIL_SHARED to the folder of shared data")
    }
    return shared != nil
  }()

  private static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }
}

func read(_ path: String) throws -> [UInt8] {
  let file = try #require(fopen(path, "rb"), "cannot open \(path)")
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
  return bytes
}
