import HubGeneration
import HubWords
import Testing

@Suite struct OptionTests {
  private func options(_ text: String) throws -> GenerationOptions {
    try GenerationOptions(JSONObject(JSON(parsing: Array(text.utf8))))
  }

  @Test(arguments: [
    #"{"temperature": 0}"#, #"{"temperature": -1}"#, #"{"top_k": -1}"#, #"{"top_p": 0}"#, #"{"top_p": 1.1}"#,
    #"{"min_p": 2}"#, #"{"typical_p": 0}"#, #"{"epsilon_cutoff": 1}"#, #"{"eta_cutoff": -0.1}"#,
    #"{"repetition_penalty": 0}"#, #"{"no_repeat_ngram_size": -1}"#, #"{"num_beams": 0}"#, #"{"num_beams": 100000}"#,
    #"{"num_return_sequences": 2}"#, #"{"num_beams": 2, "num_return_sequences": 3}"#,
    #"{"num_beams": 2, "do_sample": true}"#, #"{"max_new_tokens": 0}"#, #"{"max_new_tokens": 2, "min_new_tokens": 3}"#,
    #"{"eos_token_id": 10}"#, #"{"suppress_tokens": [-1]}"#, #"{"bad_words_ids": [[]]}"#,
    #"{"sequence_bias": [[[], 1]]}"#,
    #"{"stop_strings": ""}"#, #"{"logprobs": -1}"#, #"{"exponential_decay_length_penalty": [-1, 2]}"#,
  ])
  func `a value out of range is refused by its name`(text: String) throws {
    let failure = #expect(throws: Failure.self) { try options(text).check(vocabularySize: 10) }
    #expect(failure?.code == .generationValue)
    #expect(text.contains(failure?.subject ?? "?"))
  }

  @Test(arguments: [
    #"{"num_beam_groups": 2}"#, #"{"penalty_alpha": 0.6}"#, #"{"guidance_scale": 1.5}"#, #"{"force_words_ids": [[1]]}"#,
    #"{"temprature": 1}"#, #"{"watermarking_config": {}}"#, #"{"renormalize_logits": true}"#,
  ])
  func `an option that is unknown or not supported is refused by its name`(text: String) throws {
    let failure = #expect(throws: Failure.self) { try options(text) }
    #expect(failure?.code == .generationOption)
    #expect(text.contains(failure?.subject ?? "?"))
  }

  @Test(arguments: [
    #"{"temperature": "hot"}"#, #"{"eos_token_id": "x"}"#, #"{"early_stopping": "always"}"#, #"{"do_sample": 1}"#,
    #"{"bad_words_ids": [1]}"#, #"{"sequence_bias": [[1, 1]]}"#, #"{"eos_token_id": 99999999999}"#, #"{"seed": -1}"#,
  ])
  func `a value of another type is refused`(text: String) {
    let failure = #expect(throws: Failure.self) { try options(text) }
    #expect(failure?.code == .unexpectedJSON)
  }

  @Test func `files of real models are read`() throws {
    let bart = try options(
      #"{"bos_token_id": 0, "decoder_start_token_id": 2, "early_stopping": true, "eos_token_id": 2, "forced_bos_token_id": 0, "forced_eos_token_id": 2, "length_penalty": 2.0, "max_length": 142, "min_length": 56, "no_repeat_ngram_size": 3, "num_beams": 4, "pad_token_id": 1, "transformers_version": "4.27.0.dev0"}"#
    )
    #expect(bart.beams == 4 && bart.earlyStopping == .whenFull && bart.endTokens == [2] && bart.maxLength == 142)
    let llama = try options(
      #"{"_from_model_config": true, "bos_token_id": 128000, "do_sample": true, "eos_token_id": [128001, 128008, 128009], "temperature": 0.6, "top_p": 0.9, "pad_token_id": null}"#
    )
    #expect(llama.samples && llama.topP == 0.9 && llama.endTokens.count == 3 && llama.padToken == nil)
    var merged = try options(#"{"max_new_tokens": 5}"#)
    try merged.merge(JSONObject(JSON(parsing: Array(#"{"max_length": 9}"#.utf8))))
    #expect(merged.limit(afterPrompt: 3) == 9)
  }

  @Test func `prompts that cannot be continued are refused`() throws {
    let searches = try Searches()
    var generator = Generator(searches.model, vocabularySize: 24)
    var options = GenerationOptions()
    options.maxLength = 20
    for prompt: [Int32] in [[], [24], [-1], Array(repeating: 1, count: 20)] {
      let failure = #expect(throws: Failure.self) {
        try generator.submit(GenerationRequest(prompt: prompt, options: options), start: [])
      }
      #expect(failure?.code == .generationPrompt)
    }
    options.stopStrings = ["."]
    let failure = #expect(throws: Failure.self) {
      try generator.submit(GenerationRequest(prompt: [1], options: options), start: [])
    }
    #expect(failure?.code == .generationOption)
  }
}
