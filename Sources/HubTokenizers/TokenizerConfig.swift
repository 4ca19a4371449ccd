import HubManifest

/// What `tokenizer_config.json` and `special_tokens_map.json` say about the tokenizer they accompany.
struct TokenizerConfig: Sendable {
  var lowercases: Bool?
  var stripsAccents: Bool?
  var separatesIdeographs: Bool?
  var addsPrefixSpace: Bool?
  /// The name of the class that Hugging Face's `transformers` reads the tokenizer with.
  var className: String?
  /// Tokens by role, such as `cls_token`.
  var roles: [String: String] = [:]

  init() {}

  /// Reads the two files in the folder of `path`, if they are there.
  init(besides path: String) throws {
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    for name in ["special_tokens_map.json", "tokenizer_config.json"] where FileBytes.exists(folder + name) {
      let json = try TokenizerFile.object(folder + name)
      try locating(folder + name) { try merge(json) }
    }
  }

  /// Takes over what an object states.
  mutating func merge(_ json: JSONObject) throws {
    lowercases = try json.optionalBool("do_lower_case") ?? lowercases
    stripsAccents = try json.optionalBool("strip_accents") ?? stripsAccents
    separatesIdeographs = try json.optionalBool("tokenize_chinese_chars") ?? separatesIdeographs
    addsPrefixSpace = try json.optionalBool("add_prefix_space") ?? addsPrefixSpace
    className = try json.optionalString("tokenizer_class") ?? className
    for role in Self.conventions.map(\.role) {
      // A token is stated as text, or as an object like those of `added_tokens`.
      let token = try json.optional(role, "a token") { $0.string ?? $0["content"]?.string }
      if let token { roles[role] = token }
    }
  }

  /// The names that tokens of a role usually have, where nothing is stated.
  private static let conventions: [(role: String, names: [String])] = [
    ("pad_token", ["[PAD]", "<pad>"]), ("cls_token", ["[CLS]", "<s>"]), ("sep_token", ["[SEP]", "</s>"]),
    ("mask_token", ["[MASK]", "<mask>"]), ("unk_token", ["[UNK]", "<unk>"]),
  ]

  /// The ids of the tokens with a role.
  ///
  /// - Parameter unknown: the model's own, which goes first.
  func specialIDs(in vocabulary: Vocabulary, unknown: Int32?) -> SpecialIDs {
    func id(_ role: String) -> Int32? {
      if let stated = roles[role] { return vocabulary.id(of: stated) }
      return Self.conventions.first { $0.role == role }?.names.lazy.compactMap(vocabulary.id(of:)).first
    }
    return SpecialIDs(
      pad: id("pad_token"), cls: id("cls_token"), sep: id("sep_token"), mask: id("mask_token"),
      unk: unknown ?? id("unk_token"))
  }
}
