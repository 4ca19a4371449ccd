import ArgumentParser
import Dovetail
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
      {"chat": [{"role": "user", "content": …}]}, with an id that the answer repeats, and a setup and options of its \
      own where a line has them: {"text": …, "setup": "poet", "options": {"max_new_tokens": 20}}. Options are named \
      as in transformers' generate(). All requests share passes. Giving one of sampling's options turns sampling on.
      """)

  @OptionGroup var base: BaseOptions
  @Option(
    help: ArgumentHelp(
      "Adapters and how they are composed; without it, the base model alone.", valueName: "composition")
  )
  var setup: String?
  @Flag(help: "Treat texts as a user's messages in a chat, with the model's chat template.") var chat = false
  @OptionGroup(title: "How it is written") var writing: WritingOptions
  @Flag(help: "Print one JSON object per line, with tokens and why the text ended.") var json = false
  @OptionGroup var texts: TextOptions
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let hub = try options.open()
    let model = try base.load(from: hub), text = texts.text
    let writer = try TextWriter(hub, on: model, allowingOtherWeights: base.mismatch.allowBaseMismatch)
    let run = WritingRun(
      writer: writer, options: try writing.merged(into: writer.options),
      constraints: Constraints(model.tokenizer, writing),
      setup: setup, isChat: chat, isJSON: json, streams: !json && text.count == 1)
    let lines =
      try text.isEmpty
      ? WritingLine.all(texts.bytes(), format: texts.format) : text.map { WritingLine(.success(.text($0))) }
    let failures = try run.answer(lines)
    if failures > 0 { throw ExitCode(ExitStatus.badData.rawValue) }
  }
}
