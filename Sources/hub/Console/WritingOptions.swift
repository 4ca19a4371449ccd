import ArgumentParser
import HubGeneration
import HubWords

/// How texts are written: an option for each of the most used ones of `transformers`' `generate()`.
struct WritingOptions: ParsableArguments {
  @Flag(help: "Always take the best token, whatever the model's files say.") var greedy = false
  @Option(help: ArgumentHelp("Write at most this many tokens.", valueName: "n")) var maxNewTokens: Int?
  @Option(help: ArgumentHelp("Write at least this many tokens.", valueName: "n")) var minNewTokens: Int?
  @Option(help: ArgumentHelp("Divide scores by this before sampling.", valueName: "x")) var temperature: Double?
  @Option(help: ArgumentHelp("Sample from this many of the best tokens; 0 for all.", valueName: "n")) var topK: Int?
  @Option(help: ArgumentHelp("Sample from the best tokens that together have this probability.", valueName: "x"))
  var topP: Double?
  @Option(
    help: ArgumentHelp("Sample from tokens with at least this share of the best one's probability.", valueName: "x"))
  var minP: Double?
  @Option(
    help: ArgumentHelp(
      "Sample from the tokens closest to the expected information, up to this probability.", valueName: "x"))
  var typicalP: Double?
  @Option(help: ArgumentHelp("The seed of the random numbers.", valueName: "n")) var seed: Int?
  @Option(help: ArgumentHelp("Search with this many beams.", valueName: "n")) var beams: Int?
  @Option(help: ArgumentHelp("Return this many texts for each prompt.", valueName: "n")) var returned: Int?
  @Option(help: ArgumentHelp("Above 0, beams favour longer texts.", valueName: "x")) var lengthPenalty: Double?
  @Option(help: "When a beam search ends: true, false or never.") var earlyStopping: String?
  @Option(help: ArgumentHelp("Make tokens that have appeared less likely.", valueName: "x")) var repetitionPenalty:
    Double?
  @Option(help: ArgumentHelp("Subtract this from the scores of tokens already written.", valueName: "x"))
  var presencePenalty: Double?
  @Option(help: ArgumentHelp("Subtract this for each time a token was written.", valueName: "x")) var frequencyPenalty:
    Double?
  @Option(help: ArgumentHelp("Never write the same sequence of this many tokens twice.", valueName: "n"))
  var noRepeatNgramSize: Int?
  @Option(help: ArgumentHelp("Stop at this text. May be given several times.", valueName: "text"))
  var stop: [String] = []
  @Option(help: ArgumentHelp("Report log-probabilities, with this many alternatives.", valueName: "n")) var logprobs:
    Int?
  @Option(help: ArgumentHelp("Write one of these texts. Give the option once for each.", valueName: "text")) var choice:
    [String] = []
  @Option(help: ArgumentHelp("Write what this regular expression matches.", valueName: "expression")) var regex: String?
  @Option(
    help: ArgumentHelp("Write JSON that is valid under the schema in this file.", valueName: "file"),
    completion: .file())
  var jsonSchema: String?

  func validate() throws {
    let samples = [temperature, topP, minP, typicalP].contains { $0 != nil } || topK != nil
    if greedy, samples { throw ValidationError("--greedy takes the best token; leave out the options of sampling") }
    if [!choice.isEmpty, regex != nil, jsonSchema != nil].count(where: { $0 }) > 1 {
      throw ValidationError("give --choice, --regex or --json-schema, not several")
    }
  }

  /// The model's own options with these.
  func merged(into options: GenerationOptions) throws -> GenerationOptions {
    var members = JSON.Members()
    func set(_ name: String, _ value: Int?) { if let value { members[name] = .integer(value) } }
    func set(_ name: String, _ value: Double?) { if let value { members[name] = .number(value) } }
    set("max_new_tokens", maxNewTokens ?? (options.maxNewTokens == nil && options.maxLength == nil ? 256 : nil))
    for (name, value) in [
      ("min_new_tokens", minNewTokens), ("top_k", topK), ("seed", seed), ("num_beams", beams),
      ("num_return_sequences", returned),
      ("no_repeat_ngram_size", noRepeatNgramSize), ("logprobs", logprobs),
    ] { set(name, value) }
    for (name, value) in [
      ("temperature", temperature), ("top_p", topP), ("min_p", minP), ("typical_p", typicalP),
      ("length_penalty", lengthPenalty),
      ("repetition_penalty", repetitionPenalty), ("presence_penalty", presencePenalty),
      ("frequency_penalty", frequencyPenalty),
    ] { set(name, value) }
    if let earlyStopping {
      members["early_stopping"] =
        ["true": true, "false": false][earlyStopping].map(JSON.bool) ?? .string(earlyStopping)
    }
    if !stop.isEmpty { members["stop_strings"] = .array(stop.map(JSON.string)) }
    let samples = [temperature, topP, minP, typicalP].contains { $0 != nil } || topK != nil
    if greedy || samples { members["do_sample"] = .bool(samples) }
    if greedy { members["num_beams"] = 1 }
    var result = options
    try result.merge(JSONObject(members))
    return result
  }
}
