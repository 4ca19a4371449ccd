public import HubWords

extension GenerationOptions {
  /// Reads options under the names of `transformers`, as in `generation_config.json`.
  ///
  /// - Throws: ``Failure`` as ``merge(_:)``
  public init(_ json: JSONObject) throws {
    self.init()
    try merge(json)
  }

  /// Takes over the options that an object states; null leaves an option as it is.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/generationOption`` for an option that is unknown or not supported
  ///   at this value; ``Failure/Code/unexpectedJSON`` for a value of another type
  public mutating func merge(_ json: JSONObject) throws {
    for entry in json.members.entries where !entry.value.isNull {
      if let read = Self.readers[entry.key] {
        try read(&self, Value(json: entry.value, place: json.path(to: entry.key)))
      } else if !Self.inert.contains(entry.key) {
        try Self.checkNeutral(entry.key, entry.value, at: json.path(to: entry.key))
      }
    }
    // Whoever states a length only means it: an earlier number of new tokens no longer counts.
    if json.members["max_length"]?.integer != nil, json.members["max_new_tokens"]?.integer == nil { maxNewTokens = nil }
  }

  /// The value of an option, and where it stands.
  struct Value {
    let json: JSON
    let place: String

    func read<Result>(_ what: String, _ convert: (JSON) -> Result?) throws -> Result {
      guard let result = convert(json) else {
        throw Failure(.unexpectedJSON, "expected \(what), found \(json.kind)", at: place)
      }
      return result
    }

    func integer() throws -> Int { try read("an integer") { $0.integer } }
    func float() throws -> Float { try read("a number") { $0.number.map { Float($0) } } }
    func double() throws -> Double { try read("a number") { $0.number } }
    func bool() throws -> Bool { try read("true or false") { $0.bool } }
    func id() throws -> Int32 { try read("an id") { $0.integer.flatMap(Int32.init(exactly:)) } }
    func ids() throws -> [Int32] { try read("an id or a list of ids", Self.ids) }
    func sequences() throws -> [[Int32]] {
      try read("lists of ids") { json in
        json.array.flatMap { lists in Self.all(lists) { $0.array == nil ? nil : Self.ids($0) } }
      }
    }

    static func ids(_ json: JSON) -> [Int32]? {
      if let one = json.integer { return Int32(exactly: one).map { [$0] } }
      return json.array.flatMap { all($0) { $0.integer.flatMap(Int32.init(exactly:)) } }
    }

    static func all<Element>(_ list: [JSON], _ convert: (JSON) -> Element?) -> [Element]? {
      let converted = list.compactMap(convert)
      return converted.count == list.count ? converted : nil
    }
  }

  /// Reads one option.
  private typealias Reader = @Sendable (inout GenerationOptions, Value) throws -> Void

  private static let readers: [String: Reader] = [
    "max_new_tokens": { $0.maxNewTokens = try $1.integer() },
    "max_length": { $0.maxLength = try $1.integer() },
    "min_new_tokens": { $0.minNewTokens = try $1.integer() },
    "min_length": { $0.minLength = try $1.integer() },
    "exponential_decay_length_penalty": { $0.lengthDecay = try $1.read("a start and a factor", Self.decay) },
    "eos_token_id": { $0.endTokens = try $1.ids() },
    "pad_token_id": { $0.padToken = try $1.id() },
    "bos_token_id": { $0.beginToken = try $1.id() },
    "decoder_start_token_id": { $0.decoderStartToken = try $1.id() },
    "forced_bos_token_id": { $0.forcedFirstToken = try $1.id() },
    "forced_eos_token_id": { $0.forcedLastTokens = try $1.ids() },
    "stop_strings": {
      $0.stopStrings = try $1.read("a text or a list of texts") { $0.string.map { [$0] } ?? $0.strings }
    },
    "repetition_penalty": { $0.repetitionPenalty = try $1.float() },
    "encoder_repetition_penalty": { $0.sourceRepetitionPenalty = try $1.float() },
    "presence_penalty": { $0.presencePenalty = try $1.float() },
    "frequency_penalty": { $0.frequencyPenalty = try $1.float() },
    "no_repeat_ngram_size": { $0.noRepeatedTokens = try $1.integer() },
    "encoder_no_repeat_ngram_size": { $0.noRepeatedSourceTokens = try $1.integer() },
    "bad_words_ids": { $0.forbiddenSequences = try $1.sequences() },
    "sequence_bias": { $0.biases = try $1.read("pairs of ids and a number", Self.biases) },
    "suppress_tokens": { $0.suppressedTokens = try $1.ids() },
    "begin_suppress_tokens": { $0.tokensSuppressedAtBegin = try $1.ids() },
    "do_sample": { $0.samples = try $1.bool() },
    "temperature": { $0.temperature = try $1.float() },
    "top_k": { $0.topK = try $1.integer() },
    "top_p": { $0.topP = try $1.float() },
    "min_p": { $0.minP = try $1.float() },
    "typical_p": { $0.typicalP = try $1.float() },
    "epsilon_cutoff": { $0.epsilonCutoff = try $1.float() },
    "eta_cutoff": { $0.etaCutoff = try $1.float() },
    "seed": { $0.seed = try $1.read("an integer that is not negative") { $0.integer.flatMap(UInt64.init(exactly:)) } },
    "num_beams": { $0.beams = try $1.integer() },
    "num_return_sequences": { $0.returnedSequences = try $1.integer() },
    "length_penalty": { $0.lengthPenalty = try $1.double() },
    "early_stopping": { $0.earlyStopping = try $1.read("true, false or \"never\"", Self.earlyStopping) },
    "logprobs": { $0.logProbabilities = try $1.integer() },
  ]

  private static func decay(_ json: JSON) -> Decay? {
    guard let list = json.array, list.count == 2, let start = list[0].integer, let factor = list[1].number else {
      return nil
    }
    return Decay(start: start, factor: factor)
  }

  private static func biases(_ json: JSON) -> [Bias]? {
    json.array.flatMap { pairs in
      Value.all(pairs) { pair in
        guard let pair = pair.array, pair.count == 2, let value = pair[1].number, pair[0].array != nil else {
          return nil
        }
        return Value.ids(pair[0]).map { Bias($0, Float(value)) }
      }
    }
  }

  private static func earlyStopping(_ json: JSON) -> EarlyStopping? {
    switch json {
    case .bool(true): .whenFull
    case .bool(false): .whenUnlikely
    case .string("never"): .never
    default: nil
    }
  }

  /// What changes no text: how the library computes, and what it hands out.
  private static let inert: Set = [
    "_from_model_config", "transformers_version", "use_cache", "cache_implementation", "cache_config",
    "return_legacy_cache", "output_scores", "output_logits", "output_attentions", "output_hidden_states",
    "return_dict_in_generate", "low_memory", "remove_invalid_values", "disable_compile", "compile_config",
    "use_model_defaults", "prefill_chunk_size", "num_assistant_tokens", "num_assistant_tokens_schedule",
    "assistant_confidence_threshold", "assistant_early_exit", "assistant_lookbehind", "target_lookbehind",
    "is_assistant", "max_matching_ngram_size", "trust_remote_code", "chat_format", "max_window_size",
  ]

  /// What we do not compute, with the values at which it changes nothing.
  private static let neutral: [String: [JSON]] = [
    "num_beam_groups": [.integer(1)], "diversity_penalty": [.integer(0), .number(0)],
    "penalty_alpha": [.integer(0), .number(0)], "guidance_scale": [.integer(1), .number(1)],
    "renormalize_logits": [.bool(false)], "token_healing": [.bool(false)],
    "force_words_ids": [], "constraints": [], "max_time": [], "dola_layers": [], "watermarking_config": [],
    "prompt_lookup_num_tokens": [], "forced_decoder_ids": [], "custom_generate": [],
  ]

  private static func checkNeutral(_ name: String, _ value: JSON, at place: String) throws {
    guard let values = neutral[name] else {
      throw Failure(.generationOption, "the option \(name) of generation is unknown", at: place)
    }
    guard values.contains(value) else {
      throw Failure(.generationOption, "the option \(name) of generation is not supported", at: place)
    }
  }
}
