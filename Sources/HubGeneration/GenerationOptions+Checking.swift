public import HubWords

extension Failure.Code {
  /// An option of generation has a value out of its range, or two of them contradict each other.
  public static let generationValue = Self("generation/value", .usage)
  /// An option of generation is unknown or not supported.
  public static let generationOption = Self("generation/option", .usage)
}

extension GenerationOptions {
  /// The most texts that one prompt may have at once.
  public static let maximalRows = 256

  /// Refuses values out of range, ids that the vocabulary has not, and options that contradict each other.
  ///
  /// - Parameter vocabularySize: the number of logits of the model
  /// - Throws: ``Failure`` with code ``Failure/Code/generationValue`` that names the option
  public func check(vocabularySize: Int) throws {
    try checkLengths()
    try checkScores()
    try checkSampling()
    try checkSearch()
    try checkIDs(vocabularySize)
  }

  private func require(_ holds: Bool, _ name: String, _ expected: String, _ value: Any) throws {
    guard holds else {
      throw Failure(.generationValue, "\(name) must be \(expected), not \(value)", at: name)
    }
  }

  private func checkLengths() throws {
    try require(maxNewTokens ?? 1 >= 1, "max_new_tokens", "at least 1", maxNewTokens ?? 0)
    try require(maxLength ?? 1 >= 1, "max_length", "at least 1", maxLength ?? 0)
    try require(minNewTokens >= 0, "min_new_tokens", "at least 0", minNewTokens)
    try require(minLength >= 0, "min_length", "at least 0", minLength)
    if let maxNewTokens {
      try require(
        minNewTokens <= maxNewTokens, "min_new_tokens", "at most max_new_tokens, \(maxNewTokens)", minNewTokens)
    }
    if let lengthDecay {
      let holds = lengthDecay.start >= 0 && lengthDecay.factor > 0 && lengthDecay.factor.isFinite
      try require(holds, "exponential_decay_length_penalty", "a start and a factor above 0", lengthDecay)
    }
    try require(stopStrings.allSatisfy { !$0.isEmpty }, "stop_strings", "texts that are not empty", "\"\"")
    try require(stopStrings.count <= 64, "stop_strings", "at most 64 texts", stopStrings.count)
    let longest = stopStrings.map(\.utf8.count).max() ?? 0
    try require(longest <= 1024, "stop_strings", "at most 1024 bytes each", longest)
  }

  private func checkScores() throws {
    for (name, value) in [
      ("repetition_penalty", repetitionPenalty), ("encoder_repetition_penalty", sourceRepetitionPenalty),
    ] {
      try require(value > 0 && value.isFinite, name, "above 0", value)
    }
    for (name, value) in [("presence_penalty", presencePenalty), ("frequency_penalty", frequencyPenalty)] {
      try require(value.isFinite, name, "a number", value)
    }
    try require(noRepeatedTokens >= 0, "no_repeat_ngram_size", "at least 0", noRepeatedTokens)
    try require(noRepeatedSourceTokens >= 0, "encoder_no_repeat_ngram_size", "at least 0", noRepeatedSourceTokens)
    try require(forbiddenSequences.allSatisfy { !$0.isEmpty }, "bad_words_ids", "lists that are not empty", "[]")
    try require(biases.allSatisfy { !$0.tokens.isEmpty }, "sequence_bias", "lists that are not empty", "[]")
    try require(biases.allSatisfy { $0.value.isFinite }, "sequence_bias", "finite", "infinite")
  }

  private func checkSampling() throws {
    try require(temperature > 0 && temperature.isFinite, "temperature", "above 0", temperature)
    try require(topK >= 0, "top_k", "at least 0", topK)
    try require(topP > 0 && topP <= 1, "top_p", "above 0 and at most 1", topP)
    try require(minP >= 0 && minP <= 1, "min_p", "between 0 and 1", minP)
    try require(typicalP > 0 && typicalP <= 1, "typical_p", "above 0 and at most 1", typicalP)
    try require(epsilonCutoff >= 0 && epsilonCutoff < 1, "epsilon_cutoff", "at least 0 and below 1", epsilonCutoff)
    try require(etaCutoff >= 0 && etaCutoff < 1, "eta_cutoff", "at least 0 and below 1", etaCutoff)
    try require(logProbabilities ?? 0 >= 0, "logprobs", "at least 0", logProbabilities ?? 0)
    try require(logProbabilities ?? 0 <= 100, "logprobs", "at most 100", logProbabilities ?? 0)
  }

  private func checkSearch() throws {
    try require(beams >= 1 && beams <= Self.maximalRows, "num_beams", "between 1 and \(Self.maximalRows)", beams)
    try require(
      returnedSequences >= 1 && returnedSequences <= Self.maximalRows, "num_return_sequences",
      "between 1 and \(Self.maximalRows)", returnedSequences)
    if beams > 1 {
      try require(!samples, "do_sample", "false in a beam search", true)
      try require(
        returnedSequences <= beams, "num_return_sequences", "at most num_beams, \(beams)", returnedSequences)
    } else {
      try require(
        samples || returnedSequences == 1, "num_return_sequences", "1 without sampling or beams", returnedSequences)
    }
    try require(lengthPenalty.isFinite, "length_penalty", "a number", lengthPenalty)
  }

  private func checkIDs(_ vocabularySize: Int) throws {
    let lists: [(String, [Int32])] = [
      ("eos_token_id", endTokens), ("pad_token_id", padToken.map { [$0] } ?? []),
      ("decoder_start_token_id", decoderStartToken.map { [$0] } ?? []),
      ("bos_token_id", beginToken.map { [$0] } ?? []),
      ("forced_bos_token_id", forcedFirstToken.map { [$0] } ?? []), ("forced_eos_token_id", forcedLastTokens),
      ("bad_words_ids", forbiddenSequences.flatMap(\.self)), ("sequence_bias", biases.flatMap(\.tokens)),
      ("suppress_tokens", suppressedTokens), ("begin_suppress_tokens", tokensSuppressedAtBegin),
    ]
    for (name, ids) in lists {
      for id in ids {
        try require(id >= 0 && Int(id) < vocabularySize, name, "an id of the \(vocabularySize) tokens", id)
      }
    }
  }
}
