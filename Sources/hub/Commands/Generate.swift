import ArgumentParser
import Dovetail
import Foundation
import HubArchive
import HubGeneration
import HubTensor
import HubWords

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Write texts with a base model and adapters.",
    discussion: """
      hub generate --model smollm2 --chat "What is the capital of France?"
      hub generate --model smollm2 --setup poet --temperature 0.8 --top-p 0.9 --seed 7 "The sea"
      hub generate --model smollm2 --choice yes --choice no --chat "Is water wet?"
      hub generate --model smollm2 --json --input prompts.jsonl > texts.jsonl

      Texts are arguments, or lines of the input in UTF-8, plain or in gzip; with JSON lines {"text": …} or \
      {"chat": [{"role": "user", "content": …}]}, with an id that the answer repeats, and a setup and options of its own where \
      a line has them: {"text": …, "setup": "poet", "options": {"max_new_tokens": 20}}. Options are named as in \
      transformers' generate(). All requests share passes. Giving one of sampling's options turns sampling on.
      """)

  @Option(help: ArgumentHelp("The base model.", valueName: "name")) var model: String
  @Option(
    help: ArgumentHelp("Adapters and how they are composed; without it, the base model alone.", valueName: "composition")
  )
  var setup: String?
  @Option(
    help: ArgumentHelp("Read texts or JSON lines from a file; - is standard input.", valueName: "file"),
    completion: .file())
  var input: String?
  @Option(help: "The format of the lines: text or jsonl; by default, the first line decides.") var format: LineFormat?
  @Flag(help: "Treat texts as a user's messages in a chat, with the model's chat template.") var chat = false
  @OptionGroup(title: "How it is written") var writing: WritingOptions
  @Option(help: ArgumentHelp("The number of threads; by default HUB_THREADS, or all physical cores.", valueName: "n"))
  var threads: Int?
  @Option(help: "The precision of the base model's weights: float32, bfloat16 or int8.")
  var precision = Precision.float32
  @Flag(help: "Accept adapters that were trained on other weights of the same architecture.")
  var allowBaseMismatch = false
  @Flag(help: "Print one JSON object per line, with tokens and why the text ended.") var json = false
  @OptionGroup var options: RegistryOptions
  @Argument(help: "Texts.") var text: [String] = []

  func validate() throws {
    if !text.isEmpty, input != nil { throw ValidationError("give texts or --input, not both") }
    if !text.isEmpty, format != nil { throw ValidationError("--format is for lines of an input, not for texts given as arguments") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be between 1 and 256") }
    if text.isEmpty, input == nil, isatty(STDIN_FILENO) == 1 {
      throw ValidationError("there is no prompt: give texts or --input")
    }
    try writing.check()
  }

  func run() throws {
    let hub = try options.open()
    let base = try hub.baseModel(model, precision: precision, engine: Engine(threads: threads))
    let writer = try TextWriter(hub, on: base, allowingOtherWeights: allowBaseMismatch)
    let run = WritingRun(
      writer: writer, options: try writing.merged(into: writer.options),
      constraints: Constraints(base.tokenizer, writing),
      setup: setup, isChat: chat, isJSON: json, streams: !json && text.count == 1)
    let failures = try text.isEmpty ? run.answer(lines()) : run.answer(text.map { WritingLine(.success(.text($0))) })
    if failures > 0 { throw ExitCode(ExitStatus.badData.rawValue) }
  }

  private func lines() throws -> [WritingLine] {
    let bytes = try input.flatMap { $0 == "-" ? nil : try InputBytes(path: $0) } ?? InputBytes()
    return try WritingLine.all(bytes, format: format)
  }
}

/// One option for each of generation.
struct WritingOptions: ParsableArguments {
  @Flag(help: "Always take the best token, whatever the model's files say.") var greedy = false
  @Option(help: ArgumentHelp("Write at most this many tokens.", valueName: "n")) var maxNewTokens: Int?
  @Option(help: ArgumentHelp("Write at least this many tokens.", valueName: "n")) var minNewTokens: Int?
  @Option(help: ArgumentHelp("Divide scores by this before sampling.", valueName: "x")) var temperature: Double?
  @Option(help: ArgumentHelp("Sample from this many of the best tokens; 0 for all.", valueName: "n")) var topK: Int?
  @Option(help: ArgumentHelp("Sample from the best tokens that together have this probability.", valueName: "x")) var topP:
    Double?
  @Option(help: ArgumentHelp("Sample from tokens with at least this share of the best one's probability.", valueName: "x"))
  var minP: Double?
  @Option(help: ArgumentHelp("Sample from the tokens closest to the expected information, up to this probability.", valueName: "x")) var typicalP: Double?
  @Option(help: ArgumentHelp("The seed of the random numbers.", valueName: "n")) var seed: Int?
  @Option(help: ArgumentHelp("Search with this many beams.", valueName: "n")) var beams: Int?
  @Option(help: ArgumentHelp("Return this many texts for each prompt.", valueName: "n")) var returned: Int?
  @Option(help: ArgumentHelp("Above 0, beams favour longer texts.", valueName: "x")) var lengthPenalty: Double?
  @Option(help: "When a beam search ends: true, false or never.") var earlyStopping: String?
  @Option(help: ArgumentHelp("Make tokens that have appeared less likely.", valueName: "x")) var repetitionPenalty:
    Double?
  @Option(help: ArgumentHelp("Subtract this from the scores of tokens already written.", valueName: "x")) var presencePenalty: Double?
  @Option(help: ArgumentHelp("Subtract this for each time a token was written.", valueName: "x")) var frequencyPenalty:
    Double?
  @Option(help: ArgumentHelp("Never write the same sequence of this many tokens twice.", valueName: "n")) var noRepeatNgramSize: Int?
  @Option(help: ArgumentHelp("Stop at this text. May be given several times.", valueName: "text"))
  var stop: [String] = []
  @Option(help: ArgumentHelp("Report log-probabilities, with this many alternatives.", valueName: "n")) var logprobs: Int?
  @Option(help: ArgumentHelp("Write one of these texts. Give the option once for each.", valueName: "text")) var choice:
    [String] = []
  @Option(help: ArgumentHelp("Write what this regular expression matches.", valueName: "expression")) var regex: String?
  @Option(
    help: ArgumentHelp("Write JSON that is valid under the schema in this file.", valueName: "file"), completion: .file())
  var jsonSchema: String?

  func check() throws {
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
