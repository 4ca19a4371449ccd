import ArgumentParser
import Dovetail
import Foundation
import HubTraining
import HubWords

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train an adapter from a recipe, and install it.",
    discussion: """
      hub train --init classification > cr.yaml
      hub train cr.yaml --dry-run
      hub train cr.yaml --set learning_rate=3e-4 --set epochs=5

      A recipe says what to learn from which files; --init prints one with all its keys. It is checked as a whole \
      before any data is read. A run writes a checkpoint beside its recipe; after an interruption, the same command \
      goes on from there and ends with the same bytes. Exit statuses: 78 for an invalid recipe, 130 after Ctrl-C.
      """)

  @Argument(help: ArgumentHelp("The recipe, in YAML.", valueName: "recipe"), completion: .file())
  var recipe: String?
  @Option(name: .customLong("init"), help: ArgumentHelp("Print a commented recipe for a task.", valueName: "task"))
  var task: String?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Replace a value of the recipe.", valueName: "key=value"))
  var settings: [String] = []
  @Option(
    name: .customLong("sweep"), parsing: .singleValue,
    help: ArgumentHelp(
      "Train with each value, or combination of values, and install the best.", valueName: "key=a,b"))
  var sweeps: [String] = []
  @Flag(name: .customLong("find-lr"), help: "Look for a learning rate with a hundred steps, and print its curve.")
  var findsRate = false
  @Flag(help: "Read everything, say what would happen, and change nothing.") var dryRun = false
  @Flag(help: "Start over, and delete the checkpoint if there is one.") var restart = false
  @Option(help: ArgumentHelp("The checkpoint; by default the recipe's name with .checkpoint.", valueName: "file"))
  var checkpoint: String?
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print events as JSON lines.") var json = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if (recipe == nil) == (task == nil) { throw ValidationError("give a recipe, or --init and a task") }
    if !sweeps.isEmpty, dryRun || findsRate {
      throw ValidationError("--sweep trains, so it cannot be used with --dry-run or --find-lr")
    }
  }

  func run() throws {
    if let task {
      try Console.put(String(Recipe.template(for: task).dropLast()))
      return
    }
    guard let path = recipe else { return }
    let hub = try options.open(), engine = try threads.engine()
    func job(_ further: [String]) throws -> TrainingJob {
      try TrainingJob(Recipe(file: path, settings: settings + further), hub: hub, engine: engine)
    }
    if !sweeps.isEmpty {
      Interruption.watch()
      do {
        return try Sweep(sweeps).run(job, json: json)
      } catch is Interruption.Asked {
        throw ExitCode(130)
      }
    }
    let job = try job([])
    if findsRate { return try show(job.searchRate()) }
    if dryRun { return try show(job.preflight()) }
    let file = checkpoint ?? path + ".checkpoint"
    if restart { try? FileManager.default.removeItem(atPath: file) }
    let report = TrainingReport(json: json, metric: job.metric)
    if FileManager.default.fileExists(atPath: file) { report.say("resuming from \(file)") }
    Interruption.watch()
    let outcome = try job.run(
      checkpoint: file, shouldStop: { Interruption.isAsked }, observe: { report.observe($0) })
    report.end(outcome)
    if outcome.ending == .interrupted {
      Console.say("hub: interrupted; run the same command to go on")
      throw ExitCode(130)
    }
  }

  private func show(_ search: TrainingJob.RateSearch) throws {
    for (index, point) in search.curve.enumerated() where json || index % 5 == 0 {
      try Console.put(
        json
          ? JSON.object(["learning_rate": .number(point.rate), "loss": .number(point.loss)]).text()
          : String(format: "%.2e  %.4f", point.rate, point.loss))
    }
    guard let rate = search.suggestion else {
      Console.say("hub: the loss did not fall at any rate")
      throw ExitCode(ExitStatus.no.rawValue)
    }
    try Console.put(
      json ? JSON.object(["suggestion": .number(rate)]).text() : String(format: "learning_rate: %.0e", rate))
  }

  private func show(_ preflight: TrainingJob.Preflight) throws {
    if json { return try Console.put(json: preflight.json, schema: "hub.train.preflight/1") }
    var rows = preflight.files.map { [$0.key, "\($0.name), \($0.rows) rows"] }
    rows += [
      ["examples", "\(preflight.train) to learn, \(preflight.development) to choose by, \(preflight.test) to measure"],
      ["labels", preflight.labels.isEmpty ? "none" : preflight.labels.prefix(12).joined(separator: ", ")],
      ["tokens", "\(preflight.tokens) an epoch; \(percent(preflight.fullShare)) of the sequences at max_length"],
      ["duplicates", "\(preflight.duplicates) examples to choose by or to measure are also in the training data"],
      ["skipped", "\(preflight.skipped) rows have nothing to learn from"],
      ["trained", "\(preflight.parameters) numbers at \(preflight.sites) sites"],
      ["steps", "\(preflight.steps)"],
      ["expected", "\(Int(preflight.seconds.rounded(.up))) s and \(preflight.memory >> 20) MB, by one batch"],
    ]
    for row in rows {
      try Console.put(row[0].padding(toLength: 12, withPad: " ", startingAt: 0) + Console.escaped(row[1]))
    }
  }

  private func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
