import ArgumentParser
import Dovetail
import HubWords

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run adapters on a base model.",
    discussion: """
      hub run --model minilm --setup cr "a very good camera"
      hub run --model minilm --setup 'stack(en, pos)' --input sentences.txt
      hub run --model xlm-r --task ner --language sw "…"
      hub run --model minilm --setup cr --json --input reviews.jsonl.gz > answers.jsonl
      hub run --model minilm --setup cr -- "-5 degrees"

      Texts are arguments, or lines of the input in UTF-8, plain or in gzip. If the first line is a JSON object, \
      all lines must be (--format overrides this): {"text": …}, \
      {"text": …, "text_pair": …}, {"text": …, "choices": […]} or {"words": […]}, with an id that the answer \
      repeats, and a setup of its own if it has one: such lines still share passes. Answers come in order, one per \
      line with --json; blank lines are skipped. A line that cannot be answered gets its error instead, and the exit \
      status is 65.
      """)

  @OptionGroup var base: BaseOptions
  @Option(
    help: ArgumentHelp(
      "Adapters and how they are composed; without it, the base model alone.", valueName: "composition")
  )
  var setup: String?
  @Option(help: ArgumentHelp("Instead of --setup: use the installed adapter for this task.", valueName: "task"))
  var task: String?
  @Option(
    help: ArgumentHelp("With --task: the language of the texts; its adapter goes below the task's.", valueName: "tag"))
  var language: String?
  @Option(help: ArgumentHelp("The adapter whose head answers; by default the last one.", valueName: "name"))
  var head: String?
  @Option(help: ArgumentHelp("Cut texts to this many tokens, special tokens included.", valueName: "n"))
  var maxLength: Int?
  @Flag(help: "Print one JSON object per line, with logits.") var json = false
  @OptionGroup var texts: TextOptions
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if setup != nil, task != nil { throw ValidationError("give --setup or --task, not both") }
    if language != nil, task == nil { throw ValidationError("--language can only be used with --task") }
    if let maxLength, maxLength < 1 { throw ValidationError("--max-length must be at least 1") }
  }

  func run() throws {
    let hub = try options.open()
    let model = try base.load(from: hub), text = texts.text
    let setup = try setup ?? task.map { try hub.setup(forTask: $0, in: language, on: model).description }
    let models = ComposedModels(hub, on: model, head: head, allowingOtherWeights: base.mismatch.allowBaseMismatch)
    // What the command asks for fails the command; what a line asks for fails the line.
    if setup != nil || !text.isEmpty { _ = try models.model(setup).get() }
    let shown: AnswerFormat = json ? .json : .readable(AnswerStyle(width: Console.width, escape: Console.escaped))
    let questions = text.map { InputLine(.success(.text($0))) }
    let failures = text.isEmpty ? try answerLines(setup, models, shown) : try answer(questions, setup, models, shown)
    if failures > 0 { throw ExitCode(ExitStatus.badData.rawValue) }
  }

  /// Answers what can be read without waiting, then reads on: a pipe gets its answers while it still asks.
  private func answerLines(_ setup: String?, _ models: ComposedModels, _ shown: AnswerFormat) throws -> Int {
    var reader = try InputReader(texts.bytes(), format: texts.format)
    var failures = 0, count = 0
    while true {
      let questions = try reader.next(upTo: 64)
      if questions.isEmpty { return failures }
      failures += try answer(questions, setup, models, shown)
      count += questions.count
      Progress.shared.update("answered \(count)")
    }
  }

  /// Prints an answer for each question; returns how many are errors.
  private func answer(
    _ questions: [InputLine], _ setup: String?, _ models: ComposedModels, _ shown: AnswerFormat
  ) throws -> Int {
    let requests = questions.map { question in
      let model = models.model(question.setup ?? setup)
      return question.input.flatMap { input in model.map { Request(input, of: $0) } }
    }
    var predictions = try models.base.answers(to: requests.compactMap { try? $0.get() }, maximumLength: maxLength)[...]
    var failures = 0
    for (question, request) in zip(questions, requests) {
      let answer = request.flatMap { _ in predictions.removeFirst() }
      if case .failure = answer { failures += 1 }
      try Console.put(shown.text(question, answer))
    }
    return failures
  }
}
