public import HubWords

extension Failure.Code {
  /// A template for special tokens names tokens that are not there, or leaves out a text.
  public static let malformedTemplate = Self("tokenizer/template", .badData)
}

/// Puts special tokens around one text, or around and between two.
struct TemplateProcessor: Sendable {
  enum Piece: Hashable, Sendable {
    case special(id: Int32, typeID: Int32)
    /// The first text (0) or the second (1).
    case text(Int8, typeID: Int32)
  }

  let single: [Piece]
  let pair: [Piece]
  /// What is left out of the places of tokens; `nil` for nothing.
  var trimming: SpaceTrimming?

  /// - Throws: ``Failure`` with ``Failure/Code/malformedTemplate`` unless `single` has the first text once and `pair`
  ///   each text once.
  init(single: [Piece], pair: [Piece]) throws {
    func texts(_ pieces: [Piece]) -> [Int8] {
      pieces.compactMap { if case .text(let index, _) = $0 { index } else { nil } }.sorted()
    }
    guard texts(single) == [0] else {
      throw Failure(.malformedTemplate, "the template must name its text exactly once", at: "single")
    }
    guard texts(pair) == [0, 1] else {
      throw Failure(.malformedTemplate, "the template must name both texts exactly once", at: "pair")
    }
    self.single = single
    self.pair = pair
  }

  private init() {
    single = [.text(0, typeID: 0)]
    pair = [.text(0, typeID: 0), .text(1, typeID: 1)]
  }

  /// Text without special tokens.
  static let none = TemplateProcessor()

  /// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`.
  static func bert(cls: Int32, sep: Int32) throws -> TemplateProcessor {
    let single: [Piece] = [.special(id: cls, typeID: 0), .text(0, typeID: 0), .special(id: sep, typeID: 0)]
    return try TemplateProcessor(single: single, pair: single + [.text(1, typeID: 1), .special(id: sep, typeID: 1)])
  }

  /// `<s> A </s>` and `<s> A </s></s> B </s>`, all of one type.
  static func roberta(cls: Int32, sep: Int32) throws -> TemplateProcessor {
    let single: [Piece] = [.special(id: cls, typeID: 0), .text(0, typeID: 0), .special(id: sep, typeID: 0)]
    let second: [Piece] = [.special(id: sep, typeID: 0), .text(1, typeID: 0), .special(id: sep, typeID: 0)]
    return try TemplateProcessor(single: single, pair: single + second)
  }

  /// How many special tokens are added to a text or to a pair.
  func addedCount(forPair isPair: Bool) -> Int { (isPair ? pair : single).count - (isPair ? 2 : 1) }

  /// Whether anything stands around or between texts.
  var addsTokens: Bool { addedCount(forPair: false) > 0 || addedCount(forPair: true) > 0 }

  func apply(_ first: TokenSequence, _ second: TokenSequence?) -> Encoding {
    let (first, second) = (
      trimming?.trim(first) ?? first, trimming.map { trimming in second.map(trimming.trim) } ?? second
    )
    var encoding = Encoding()
    for piece in second == nil ? single : pair {
      switch piece {
      case .special(let id, let typeID): encoding.appendSpecial(id, typeID: typeID)
      case .text(0, let typeID): encoding.append(first, sequence: 0, typeID: typeID)
      case .text(let index, let typeID): encoding.append(second ?? TokenSequence(), sequence: index, typeID: typeID)
      }
    }
    return encoding
  }
}

// MARK: - Reading

extension TokenizerFile {
  /// The template that `post_processor` in tokenizer.json describes.
  ///
  /// - Parameter token: the token of an id, to check that the file agrees with the vocabulary.
  static func postProcessor(
    _ json: JSONObject, token: @escaping @Sendable (Int32) -> String?
  ) throws -> TemplateProcessor {
    switch try json.string("type") {
    case "TemplateProcessing": return try TemplateProcessor(json, token: token)
    case "BertProcessing":
      let (cls, sep) = try clsAndSep(json, token: token)
      return try .bert(cls: cls, sep: sep)
    case "RobertaProcessing":
      let (cls, sep) = try clsAndSep(json, token: token)
      var processor = try TemplateProcessor.roberta(cls: cls, sep: sep)
      processor.trimming = try SpaceTrimming(json, token: token)
      return processor
    case "ByteLevel":
      var processor = TemplateProcessor.none
      processor.trimming = try SpaceTrimming(json, token: token)
      return processor
    case "Sequence":
      let processors = try parts(of: json, "processors").map { try postProcessor($0, token: token) }
      let templates = processors.filter(\.addsTokens)
      guard templates.count <= 1 else { throw unsupported("post-processor", "Sequence of templates", in: json) }
      var processor = templates.first ?? .none
      processor.trimming = processors.compactMap(\.trimming).last
      return processor
    case let type: throw unsupported("post-processor", type, in: json)
    }
  }

  /// Reads `{"sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}`.
  private static func clsAndSep(_ json: JSONObject, token: (Int32) -> String?) throws -> (cls: Int32, sep: Int32) {
    func id(_ key: String) throws -> Int32 {
      let pair = try json.array(key)
      guard pair.count == 2, let name = pair[0].string, let id = pair[1].integer else {
        throw Failure(.unexpectedJSON, "expected a token and its id", at: json.path(to: key))
      }
      return try TemplateProcessor.checked(id: id, named: name, at: json.path(to: key), token: token)
    }
    return (try id("cls"), try id("sep"))
  }
}

extension TemplateProcessor {
  fileprivate init(_ json: JSONObject, token: (Int32) -> String?) throws {
    let special = try json.object("special_tokens")
    func pieces(_ key: String) throws -> [Piece] {
      try json.array(key).enumerated().flatMap { index, piece in
        try Self.pieces(JSONObject(piece, path: "\(json.path(to: key))[\(index)]"), special: special, token: token)
      }
    }
    let (single, pair) = (try pieces("single"), try pieces("pair"))
    self = try locating(json.path) { try TemplateProcessor(single: single, pair: pair) }
  }

  /// One entry of a template, `{"Sequence": ...}` or `{"SpecialToken": ...}`.
  private static func pieces(_ json: JSONObject, special: JSONObject, token: (Int32) -> String?) throws -> [Piece] {
    if let text = try json.optionalObject("Sequence") {
      let name = try text.string("id")
      guard name == "A" || name == "B" else {
        throw Failure(.malformedTemplate, "there is no text \(name.debugDescription)", at: text.path(to: "id"))
      }
      return [.text(name == "A" ? 0 : 1, typeID: try typeID(text))]
    }
    let entry = try json.object("SpecialToken")
    let name = try entry.string("id")
    guard let definition = special.members[name] else {
      throw Failure(
        .malformedTemplate, "the special token \(name.debugDescription) is not described", at: entry.path(to: "id"))
    }
    let typeID = try typeID(entry)
    return try ids(JSONObject(definition, path: special.path(to: name)), token: token).map {
      .special(id: $0, typeID: typeID)
    }
  }

  /// The ids that one special token stands for.
  private static func ids(_ json: JSONObject, token: (Int32) -> String?) throws -> [Int32] {
    let ids = try json.required("ids", "an array of integers") { $0.integers }
    let names = try json.strings("tokens")
    guard ids.count == names.count else {
      throw Failure(.malformedTemplate, "\(ids.count) ids but \(names.count) tokens", at: json.path)
    }
    return try zip(ids, names).map { try checked(id: $0, named: $1, at: json.path(to: "ids"), token: token) }
  }

  private static func typeID(_ json: JSONObject) throws -> Int32 {
    let value = try json.optionalInteger("type_id") ?? 0
    guard let typeID = Int32(exactly: value), typeID >= 0 else {
      throw Failure(.malformedTemplate, "the type \(value) is out of range", at: json.path(to: "type_id"))
    }
    return typeID
  }

  fileprivate static func checked(
    id: Int, named name: String, at path: String, token: (Int32) -> String?
  ) throws -> Int32 {
    guard let exact = Int32(exactly: id), let found = token(exact), found.utf8.elementsEqual(name.utf8) else {
      throw Failure(
        .malformedTemplate, "the vocabulary has no token \(name.debugDescription) with the id \(id)", at: path)
    }
    return exact
  }
}
