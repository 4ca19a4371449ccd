import HubWords

/// What `tokenizer_config.json` and `special_tokens_map.json` say about the tokenizer they accompany.
struct TokenizerConfig: Sendable {
  var lowercases: Bool?
  var stripsAccents: Bool?
  var separatesIdeographs: Bool?
  var addsPrefixSpace: Bool?
  /// The name of the class that Hugging Face's `transformers` reads the tokenizer with.
  var className: String?
  /// Whether there is a `tokenizer_config.json`: what it leaves out then has its usual value.
  private var isStated = false
  /// Whether texts that are too long lose their beginning.
  var truncatesAtStart = false
  /// Keys that are neither honoured nor known to change nothing.
  private(set) var unknownKeys: [String] = []
  /// Whether words are cut in ways of their own, which `vocab.txt` says nothing of.
  var cutsOtherwise = false
  /// Tokens by role, such as `cls_token`.
  var roles: [String: String] = [:]
  /// Tokens that were added to a vocabulary, by what is said of each.
  private var added: [AddedTokens.Token] = []
  private var otherSpecial: [String] = []

  init() {}

  /// Reads the files in the folder of `path`, if they are there.
  init(besides path: String) throws {
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    for name in ["special_tokens_map.json", "tokenizer_config.json"] where FileBytes.exists(folder + name) {
      let json = try TokenizerFile.object(folder + name)
      try locating(folder + name) { try merge(json) }
      isStated = isStated || name == "tokenizer_config.json"
    }
    if FileBytes.exists(folder + "added_tokens.json") {
      let json = try TokenizerFile.object(folder + "added_tokens.json")
      try locating(folder + "added_tokens.json") { try addTokens(json) }
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
    cutsOtherwise =
      try cutsOtherwise || json.optionalBool("do_basic_tokenize") == false
      || json.members["never_split"]?.array?.isEmpty == false
    otherSpecial =
      try json.optional("additional_special_tokens", "an array") {
        $0.array?.compactMap { $0.string ?? $0["content"]?.string }
      } ?? otherSpecial
    truncatesAtStart = try json.optionalString("truncation_side").map { $0 == "left" } ?? truncatesAtStart
    for key in ["split_special_tokens", "auto_map"] where ![nil, .null, false].contains(json.members[key]) {
      throw Failure(
        .unsupportedTokenizer, "the option is not supported, and ignoring it would change the result",
        at: json.path(to: key))
    }
    unknownKeys += json.members.entries.map(\.key).filter { !Self.known.contains($0) }
    for entry in try json.optionalObject("added_tokens_decoder")?.members.entries ?? [] {
      let place = "\(json.path(to: "added_tokens_decoder")).\(entry.key)"
      guard let id = Int(entry.key) else { throw Failure(.malformedVocabulary, "the id is not a number", at: place) }
      added.append(try AddedTokens.Token(JSONObject(entry.value, path: place), id: id))
    }
  }

  /// Reads `added_tokens.json`, as older versions of `transformers` wrote it: tokens and their ids, and nothing more of
  /// them.
  private mutating func addTokens(_ json: JSONObject) throws {
    for entry in json.members.entries where !added.contains(where: { $0.content.utf8.elementsEqual(entry.key.utf8) }) {
      guard let id = entry.value.integer.flatMap(Int32.init(exactly:)) else {
        throw Failure(.malformedVocabulary, "expected an id", at: json.path(to: entry.key))
      }
      let isSpecial = roles.values.contains(entry.key) || otherSpecial.contains(entry.key)
      added.append(AddedTokens.Token(id: id, content: entry.key, isSpecial: isSpecial, isNormalized: !isSpecial))
    }
  }

  /// The added tokens of a tokenizer that is made of other files than tokenizer.json.
  ///
  /// - Parameters:
  ///   - usual: those that its family has, unless something else is said of them
  ///   - vocabulary: gets those that it lacks
  func addedTokens(_ usual: [AddedTokens.Token], joining vocabulary: inout Vocabulary) throws -> [AddedTokens.Token] {
    try TokenizerFile.checkSize(of: added)
    for token in added { try token.join(&vocabulary) }
    let stated = Set(added.map(\.id))
    let tokens = usual.filter { !stated.contains($0.id) } + added, known = Set(tokens.map(\.id))
    return tokens
      + otherSpecial.compactMap { content in
        vocabulary.id(of: content).flatMap { known.contains($0) ? nil : AddedTokens.Token(id: $0, content: content) }
      }
  }

  /// The added tokens of tokenizer.json with those that are stated here: `transformers` adds them again, so that what
  /// is said of a token here goes first, and a special token that is new gets the next id.
  func addedTokens(besides own: [AddedTokens.Token], in vocabulary: Vocabulary) throws -> [AddedTokens.Token] {
    try TokenizerFile.checkSize(of: added)
    var tokens = own, next = Int32(max(vocabulary.idBound, (own.map { Int($0.id) + 1 }.max() ?? 0)))
    func add(_ token: AddedTokens.Token, replacing: Bool) {
      if let index = tokens.firstIndex(where: { $0.content.utf8.elementsEqual(token.content.utf8) }) {
        if replacing { tokens[index] = token.with(id: tokens[index].id) }
        return
      }
      let id = vocabulary.id(of: token.content) ?? next
      if id == next { next += 1 }
      tokens.append(token.with(id: id))
    }
    for token in added.sorted(by: { $0.id < $1.id }) where !token.content.isEmpty { add(token, replacing: true) }
    for role in Self.conventions.map(\.role) {
      if let content = roles[role], !content.isEmpty {
        add(AddedTokens.Token(id: 0, content: content), replacing: false)
      }
    }
    for content in otherSpecial where !content.isEmpty {
      add(AddedTokens.Token(id: 0, content: content), replacing: false)
    }
    return tokens
  }

  /// A normalizer of tokenizer.json with what is stated here, which goes first. The classes of BERT's tokenizers in
  /// `transformers` do so also with what is not stated: then text is lower-cased and ideographs stand apart, whatever
  /// tokenizer.json says.
  func corrected(_ normalizer: any Normalizer) -> any Normalizer {
    guard isStated, className.map(Self.isBERT) ?? true, let bert = normalizer as? BertNormalizer else {
      return normalizer
    }
    let lowercases = lowercases ?? true
    return BertNormalizer(
      cleansText: bert.cleansText, separatesIdeographs: separatesIdeographs ?? true,
      stripsAccents: stripsAccents ?? lowercases, lowercases: lowercases)
  }

  private static func isBERT(_ className: String) -> Bool {
    ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"].contains {
      className == $0 || className == $0 + "Fast"
    }
  }

  /// Keys that are honoured, and those that change nothing in what a tokenizer makes of a text.
  private static let known: Set<String> = [
    "do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space", "tokenizer_class",
    "do_basic_tokenize",
    "never_split", "additional_special_tokens", "added_tokens_decoder", "truncation_side", "split_special_tokens",
    "auto_map",
    "pad_token", "cls_token", "sep_token", "mask_token", "unk_token", "bos_token", "eos_token",
    // Where texts end, how they are padded, decoded and stored; what was read from where.
    "model_max_length", "max_len", "max_length", "padding_side", "truncation_strategy", "truncation", "padding",
    "stride",
    "pad_to_multiple_of", "pad_token_type_id", "pad_token_type", "clean_up_tokenization_spaces", "model_input_names",
    "errors", "trim_offsets", "wordpieces_prefix", "special_tokens_map_file", "tokenizer_file", "vocab_file",
    "merges_file",
    "name_or_path", "use_fast", "from_slow", "processor_class", "chat_template", "legacy", "extra_special_tokens",
    "is_fast",
    "sp_model_kwargs", "full_tokenizer_file", "init_inputs", "return_token_type_ids", "verbose", "backend",
    "is_local", "local_files_only", "cache_dir", "add_bos_token", "add_eos_token", "use_default_system_prompt",
    "spaces_between_special_tokens",
  ]

  /// The same for a pre-tokeniser.
  func corrected(_ preTokenizer: any PreTokenizer) -> any PreTokenizer {
    guard let addsPrefixSpace, let byteLevel = preTokenizer as? ByteLevel else { return preTokenizer }
    return ByteLevel(addsPrefixSpace: addsPrefixSpace, cutsWords: byteLevel.cutsWords)
  }

  /// Refuses files of a family whose texts are cut otherwise.
  ///
  /// - Parameter families: the classes of `transformers` that read such files as we do
  func checkClass(_ families: [String]) throws {
    guard let className, !families.contains(where: { className == $0 || className == $0 + "Fast" }) else { return }
    throw Failure(
      .unsupportedTokenizer, "files of a \(className.debugDescription) are not supported", hint: "give tokenizer.json")
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
